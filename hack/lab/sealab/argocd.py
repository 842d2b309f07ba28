"""The real Argo CD beside a management plane, without containers: its two controllers, repository server and redis as processes.

    argocd = ArgoCD.install(plane)
    plane.kubectl("patch", "configmap", "argocd-cm", …)
    argocd.start(["10.66.0.11:6443"])
    argocd.stop()

The processes carry the plane's mark and their files lie in the plane's folder: taking the plane down, also after a crash, takes them along.
Its web server does not run, so applications are made and read with kubectl.
"""

import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from sealab import argocd_manifests, argocd_redis
from sealab.errors import LabError
from sealab.gobuild import binary
from sealab.machines_requirements import SEARCH, install_missing
from sealab.paths import SOURCE
from sealab.plane import Plane
from sealab.plane_process import Process, end, spawn

VERSION = "v3.2.11"
NAMESPACE = argocd_manifests.NAMESPACE

_REDIS, _REPOSITORIES, _METRICS = 6379, 8081, 8082
_SETS = {"metrics": 8090, "probe": 8091, "webhook": 8092}
"""Ports in the network namespace of its own, where nobody else is."""
_READY_SECONDS = 20
_TOOLS = {"ip": "iproute2", "nsenter": "util-linux", "git": "git"}


@dataclass
class ArgoCD:
    """Argo CD of one plane."""

    plane: Plane
    processes: dict[str, Process] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Its kubeconfig, work files and one log per process."""
        return self.plane.folder / "argocd"

    @classmethod
    def install(cls, plane: Plane) -> "ArgoCD":
        """Build the program (minutes when cold) and put kinds and settings into the plane; nothing runs yet."""
        binary("argocd", VERSION)
        install_missing(_TOOLS, lambda text: print(f"sealab: {text}", file=sys.stderr, flush=True))
        made = cls(plane)
        for name in ("tmp", "tls", "ssh", "gpg", "plugins"):
            (made.folder / name).mkdir(parents=True)
        argocd_manifests.install(plane)
        return made

    def start(self, reach: Sequence[str] = ()) -> None:
        """Start the processes; besides the plane they reach only these `address:port`s.

        Raises LabError with the end of the log of a process that ended.
        """
        kubeconfig = self._kubeconfig()
        api = urlsplit(self.plane.server).netloc
        ready = self.folder / "cage-ready"
        cage = [sys.executable, "-m", "sealab.argocd_cage", str(ready), api, *reach]
        self._spawn("cage", cage, {"PYTHONPATH": str(SOURCE)})
        self._wait(ready.exists, "the network namespace")
        common = self._environment() | {"KUBECONFIG": str(kubeconfig)}
        self._inside("redis", argocd_redis.command(self.folder / "tmp", _REDIS), {})
        self._inside("repo-server", self._repo_server(), common | {"ARGOCD_BINARY_NAME": "argocd-repo-server"})
        self._inside("controller", self._controller(), common | {"ARGOCD_BINARY_NAME": "argocd-application-controller"})
        self._inside("sets", self._sets(), common | {"ARGOCD_BINARY_NAME": "argocd-applicationset-controller"})

    def stop(self) -> None:
        """End all processes; their logs stay until the plane goes."""
        end(self.processes.values())
        self.processes = {}

    def check(self) -> None:
        """LabError when a process has ended by itself."""
        for name, process in self.processes.items():
            if not process.alive:
                raise LabError(f"running Argo CD: its {name} ended: {self.last_words(name)}")

    def last_words(self, name: str, lines: int = 5) -> str:
        """The end of a process's log."""
        return " / ".join((self.folder / f"{name}.log").read_text(errors="replace").splitlines()[-lines:])

    def _repo_server(self) -> list[str]:
        loopback = ["--address", "127.0.0.1", "--port", str(_REPOSITORIES), "--metrics-address", "127.0.0.1"]
        return [str(binary("argocd", VERSION)), "--redis", f"127.0.0.1:{_REDIS}", *loopback]

    def _controller(self) -> list[str]:
        peers = ["--redis", f"127.0.0.1:{_REDIS}", "--repo-server", f"127.0.0.1:{_REPOSITORIES}"]
        return [str(binary("argocd", VERSION)), *peers, "--metrics-port", str(_METRICS), "--namespace", NAMESPACE]

    def _sets(self) -> list[str]:
        """The controller of ApplicationSets."""
        own = [word for what, port in _SETS.items() for word in (f"--{what}-addr", f"127.0.0.1:{port}")]
        return [str(binary("argocd", VERSION)), *own, "--argocd-repo-server", f"127.0.0.1:{_REPOSITORIES}", "--namespace", NAMESPACE]

    def _environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder / "tmp"),
            "ARGOCD_FAKE_IN_CLUSTER": "true",  # the plane is where it runs, so it is the destination kubernetes.default.svc
            "ARGOCD_RECONCILIATION_TIMEOUT": "5s",
            "ARGOCD_RECONCILIATION_JITTER": "0s",
            "ARGOCD_APPLICATIONSET_CONTROLLER_REQUEUE_AFTER": "5s",
            "ARGOCD_TLS_DATA_PATH": str(self.folder / "tls"),
            "ARGOCD_SSH_DATA_PATH": str(self.folder / "ssh"),
            "ARGOCD_GPG_ENABLED": "false",
            "ARGOCD_GNUPGHOME": str(self.folder / "gpg"),
            "ARGOCD_GPG_DATA_PATH": str(self.folder / "gpg"),
            "ARGOCD_PLUGINSOCKFILEPATH": str(self.folder / "plugins"),
            # what its user interface shows of an object: here nobody asks the interface
            "ARGOCD_APPLICATION_CONTROLLER_PERSIST_RESOURCE_HEALTH": "true",
        }

    def _kubeconfig(self) -> Path:
        copy = self.folder / "kubeconfig"
        shutil.copy(self.plane.kubeconfig, copy)  # with its mode
        self.plane.kubectl("config", "set-context", "--current", "--namespace", NAMESPACE, "--kubeconfig", str(copy))
        return copy

    def _inside(self, name: str, argv: list[str], environment: dict[str, str]) -> None:
        nsenter = shutil.which("nsenter", path=SEARCH)
        assert nsenter is not None  # install() saw to it
        self._spawn(name, [nsenter, f"--net=/proc/{self.processes['cage'].pid}/ns/net", *argv], environment)

    def _spawn(self, name: str, argv: list[str], environment: dict[str, str]) -> None:
        self.processes[name] = spawn(argv, self.folder / f"{name}.log", self.plane.folder, environment)

    def _wait(self, reached: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not reached():
            self.check()
            if time.monotonic() > deadline:
                raise LabError(f"starting Argo CD: {what} is not there after {_READY_SECONDS} s")
            time.sleep(0.05)
