"""A management plane without containers: etcd, kube-apiserver and kube-controller-manager as processes on loopback.

    plane = Plane.up("demo")
    plane.kubectl("apply", "-f", "-", input=manifest)
    plane.down()

Everything of a plane is in one folder, RUN/planes/<name>; taking it down needs nothing but that folder's path.
"""

import fcntl
import http.client
import json
import os
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sealab import paths, plane_flags
from sealab.errors import LabError
from sealab.gobuild import binaries, binary
from sealab.plane_pki import PlanePki, write_private
from sealab.plane_ports import free_ports
from sealab.plane_process import Process, end, marked, spawn

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?")
_POLL_SECONDS = 0.05
_SERVED_SECONDS = 30


@dataclass(frozen=True)
class Plane:
    """A running management plane."""

    name: str
    server: str
    """URL of the API server."""

    @property
    def folder(self) -> Path:
        """Everything of this plane: state.json, kubeconfig, keys, etcd's data, one log per process."""
        return folder_of(self.name)

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig of an administrator, readable by its owner only."""
        return self.folder / "kubeconfig"

    @classmethod
    def up(cls, name: str, *, timeout: float = 60, owner: Process | None = None) -> "Plane":
        """Start a plane and wait until its API answers and the default service account exists.

        A plane of this name that already runs is returned as it is; what a crash left of one is removed first. With an
        `owner` the plane is removed by `sweep` once that process is gone. Raises LabError with the end of the log of
        the process that failed.
        """
        folder = folder_of(name)
        kubernetes = binaries(["kube-apiserver", "kube-controller-manager", "kubectl"])
        etcd = binary("etcd")
        with _locked(name):
            running = cls.find(name)
            if running is not None:
                return running
            _remove(folder)
            try:
                return cls._start(folder, kubernetes, etcd, time.monotonic() + timeout, owner)
            except BaseException:
                end(marked(folder))
                raise

    @classmethod
    def _start(cls, folder: Path, kubernetes: dict[str, Path], etcd: Path, deadline: float, owner: Process | None) -> "Plane":
        folder.mkdir(parents=True, mode=0o700)
        record = _Record(folder, owner)
        with _locked(".ports"):
            ports = plane_flags.PlanePorts(*free_ports(3, folder.parent))
            record.ports = [ports.etcd, ports.etcd_peer, ports.api]
            record.save()
        plane = cls(folder.name, f"https://127.0.0.1:{ports.api}")
        record.start("etcd", plane_flags.etcd(etcd, folder, ports))
        pki = PlanePki.create(folder / "pki")
        write_private(plane.kubeconfig, pki.kubeconfig(plane.name, plane.server).encode())
        record.start("kube-apiserver", plane_flags.apiserver(kubernetes["kube-apiserver"], pki, ports))
        record.wait(lambda: plane.get("/readyz")[0] == http.client.OK, "the API server to be ready", deadline)
        record.start(
            "kube-controller-manager",
            plane_flags.controller_manager(kubernetes["kube-controller-manager"], plane.kubeconfig, pki),
        )
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        record.wait(lambda: plane.get(account)[0] == http.client.OK, "the default service account", deadline)
        record.server = plane.server
        record.save()
        return plane

    @classmethod
    def find(cls, name: str) -> "Plane | None":
        """The plane of this name if it came up and all of its processes still run."""
        state = _read_state(folder_of(name))
        processes = [Process(**process) for process in state.get("processes", {}).values()]
        if not state.get("server") or not all(process.alive for process in processes):
            return None
        return cls(name, state["server"])

    def get(self, path: str, timeout: float = 5) -> tuple[int, bytes]:
        """Status and body of one GET as administrator; status 0 when the API server does not answer."""
        try:
            return self.request("GET", path, timeout=timeout)
        except (OSError, http.client.HTTPException) as error:
            return 0, str(error).encode()

    def connect(self, timeout: float = 30) -> http.client.HTTPSConnection:
        """A connection to the API server as administrator, for many requests one after another."""
        pki = PlanePki(self.folder / "pki")
        context = ssl.create_default_context(cafile=str(pki.ca))
        context.load_cert_chain(pki.admin_certificate, pki.admin_key)
        address = urlsplit(self.server)
        return http.client.HTTPSConnection(str(address.hostname), address.port, timeout=timeout, context=context)

    def request(
        self, method: str, path: str, body: object = None, *, content_type: str = "application/json", timeout: float = 30
    ) -> tuple[int, bytes]:
        """Status and body of one request as administrator, `body` sent as JSON; many times quicker than kubectl."""
        connection = self.connect(timeout)
        try:
            payload = None if body is None else json.dumps(body).encode()
            connection.request(method, path, payload, {"Content-Type": content_type})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def kubectl(self, *args: str, input: str | None = None, check: bool = True, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run kubectl as administrator; with `check` a failure raises LabError with what it said."""
        argv = [str(binary("kubectl")), f"--kubeconfig={self.kubeconfig}", *args]
        environment = {**os.environ, "HOME": str(self.folder)}  # its discovery cache goes when the plane goes
        try:
            done = subprocess.run(argv, input=input, capture_output=True, text=True, timeout=timeout, env=environment, check=False)
        except subprocess.TimeoutExpired as error:
            raise LabError(f"running kubectl {' '.join(args)}: not finished after {timeout:g} s") from error
        if check and done.returncode:
            raise LabError(f"running kubectl {' '.join(args)}: exit code {done.returncode}: {done.stderr.strip()}")
        return done

    def install(self, manifests: Path, collection: str) -> None:
        """Apply CRDs and wait until the API server serves `collection` (a path such as /apis/example.io/v1/things)."""
        self.kubectl("apply", "--server-side", "-f", str(manifests))
        self.until_served(collection)

    def until_served(self, collection: str) -> None:
        """Wait until the API server serves this path; each kind begins to be served on its own, some time after its CRD was applied."""
        deadline = time.monotonic() + _SERVED_SECONDS
        while self.request("GET", collection)[0] != 200:
            if time.monotonic() > deadline:
                raise LabError(
                    f"waiting for a kind: the API server of plane {self.name} does not serve {collection} after {_SERVED_SECONDS} s"
                )
            time.sleep(_POLL_SECONDS)

    def down(self) -> None:
        """Stop the plane and remove everything of it."""
        down(self.name)


def folder_of(name: str) -> Path:
    """Folder of the plane of this name; raises LabError for a name that is no simple word."""
    if not _NAME.fullmatch(name):
        raise LabError(f"naming a plane {name!r}: want lower case letters, digits and dashes, at most 40")
    return paths.RUN / "planes" / name


def down(name: str) -> None:
    """Stop whatever there is of a plane, also after a crash of the command that started it, and remove its folder."""
    folder = folder_of(name)
    with _locked(name):
        _remove(folder)


def names() -> list[str]:
    """Names of the planes that have a folder, running or not."""
    return sorted(path.name for path in (paths.RUN / "planes").glob("*") if path.is_dir())


def sweep() -> list[str]:
    """Remove planes whose owner is gone (a test run that was killed); returns their names."""
    removed = []
    for name in names():
        owner = _read_state(folder_of(name)).get("owner")
        if owner and not Process(**owner).alive:
            down(name)
            removed.append(name)
    return removed


class _Record:
    """What is written down while a plane comes up, before it is needed."""

    def __init__(self, folder: Path, owner: Process | None) -> None:
        self._folder = folder
        self._owner = owner
        self._processes: dict[str, Process] = {}
        self.ports: list[int] = []
        self.server: str | None = None

    def start(self, name: str, argv: list[str]) -> None:
        self._processes[name] = spawn(argv, self._log(name), self._folder)
        self.save()

    def save(self) -> None:
        state = {
            "server": self.server,
            "ports": self.ports,
            "owner": asdict(self._owner) if self._owner else None,
            "processes": {name: asdict(process) for name, process in self._processes.items()},
        }
        fresh = self._folder / "state.json.new"
        fresh.write_text(json.dumps(state, indent=1))
        fresh.replace(self._folder / "state.json")

    def wait(self, reached: Any, what: str, deadline: float) -> None:
        """Look until `reached()`; a process that ended or a passed deadline is a LabError with the end of its log."""
        while not reached():
            for name, process in self._processes.items():
                if not process.alive:
                    raise LabError(f"starting {name}: it ended: {self._last_words(name)}")
            if time.monotonic() > deadline:
                last = list(self._processes)[-1]
                raise LabError(f"waiting for {what}: not in time; {last} says: {self._last_words(last)}")
            time.sleep(_POLL_SECONDS)

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _last_words(self, name: str) -> str:
        return " / ".join(self._log(name).read_text(errors="replace").splitlines()[-5:])


def _read_state(folder: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads((folder / "state.json").read_text())
    except FileNotFoundError:
        return {}
    return state


def _remove(folder: Path) -> None:
    recorded = [Process(**process) for process in _read_state(folder).get("processes", {}).values()]
    end({*recorded, *marked(folder)})
    if folder.exists():
        shutil.rmtree(folder)


@contextmanager
def _locked(name: str) -> Iterator[None]:
    """One command at a time per plane; the kernel frees the lock of a command that is killed."""
    path = paths.RUN / "planes" / f"{name}.lock"
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if not path.exists() or os.fstat(file.fileno()).st_ino != path.stat().st_ino:
                continue  # the holder before removed the file: what was locked is not the lock any more
            try:
                yield
            finally:
                path.unlink()  # while it is held, so that nobody can hold a lock that others do not see
            return
