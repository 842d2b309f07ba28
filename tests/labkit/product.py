"""The product in the lab: documents for machines, the command line, and a management plane as people use it.

Nothing here shares code with the product's own judgement: what is asked of a cluster is asked with kubectl.
"""

import base64
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from labkit.cluster import Cluster
from labkit.contract import check_status
from labkit.operator_process import Operator
from sealab.machines import Lab, Machine, MachineSpec
from sealab.registry import Registry, serve

IMAGES = ("kubernetes:v1.34.4", "lab-cni:v1", "hello:v1")
LAB_KUBEADM = {
    "kubelet": {"failSwapOn": False, "featureGates": {"KubeletInUserNamespace": True}},
    "kubeProxy": {"conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"}},
}
"""What nested lab machines need; real ones need none of it."""


def wait_for(what: str, look: Callable[[], Any], seconds: float, every: float = 0.5) -> Any:
    """Wait until `look` returns something true; says what it saw last when time is up."""
    deadline = time.monotonic() + seconds
    seen: Any = None
    while time.monotonic() < deadline:
        seen = look()
        if seen:
            return seen
        time.sleep(every)
    raise AssertionError(f"waiting {seconds:.0f} s for {what}: {seen!r}")


@dataclass
class Site:
    """Machines and a registry with cluster images."""

    lab: Lab
    registry: Registry
    folder: Path
    commands: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def key(self) -> Path:
        """Private key that opens every machine."""
        return next(iter(self.lab.machines.values())).key

    def document(
        self, masters: Sequence[str], workers: Sequence[str] = (), name: str = "ha", images: Sequence[str] = IMAGES, **spec: Any
    ) -> dict[str, Any]:
        """A SealCluster over machines of the lab."""
        rows = [self.row(m, "master") for m in masters] + [self.row(w, "node") for w in workers]
        return {
            "apiVersion": "sealcluster.io/v1alpha1",
            "kind": "SealCluster",
            "metadata": {"name": name},
            "spec": {
                "images": [{"name": i.split(":")[0], "ref": self.registry.ref(i)} for i in images],
                "hosts": rows,
                "ssh": {"credentialsSecretRef": {"name": "lab-ssh"}, "hostKeys": {"policy": "TrustOnFirstUse"}},
                "kubeadm": LAB_KUBEADM,
                "deletionPolicy": "Reset",
                **spec,
            },
        }

    def row(self, name: str, role: str) -> dict[str, Any]:
        """A row of spec.hosts."""
        machine = self.lab.machines[name]
        row: dict[str, Any] = {"name": name, "address": machine.address, "port": machine.port, "roles": [role]}
        return row if machine.user == "root" else {**row, "ssh": {"user": machine.user}}

    def cli(self, *words: str, timeout: float = 600, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`sealcluster …` with this site's state directory; output goes to the test's output."""
        command = [str(Path(sys.executable).parent / "sealcluster"), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
        print(done.stdout, done.stderr, sep="\n")  # noqa: T201 - pytest shows it when a test fails
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(words[:2])} ended with {done.returncode}: {done.stderr[-3000:]}")
        return done

    def apply(self, document: Mapping[str, Any], *, check: bool = True, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        """`sealcluster apply` of a document."""
        file = self.folder / "cluster.yaml"
        file.write_text(yaml.safe_dump(dict(document), sort_keys=False))
        return self.cli("apply", "-f", str(file), *self.flags(), check=check, timeout=timeout)

    def flags(self) -> list[str]:
        """Flags that every command line of this site needs."""
        return ["--key", str(self.key), "--state", str(self.folder / "state"), "--insecure-registry", self.registry.address]

    def kubeconfig(self, name: str = "ha") -> Path:
        """The admin kubeconfig that the command line wrote."""
        return self.folder / "state" / name / "kubeconfig"


class Managed:
    """A management plane with our kind, and what people do with it."""

    def __init__(self, plane: Any, site: Site, operator: Operator) -> None:
        self.plane, self.site, self.operator = plane, site, operator

    def apply(self, document: Mapping[str, Any]) -> None:
        """kubectl apply."""
        self.plane.kubectl("apply", "-f", "-", input=json.dumps(document))

    def get(self, name: str = "ha") -> dict[str, Any]:
        """The object; its status keeps the contract whenever somebody looks."""
        seen = json.loads(self.plane.kubectl("get", "sealcluster", name, "-o", "json").stdout)
        check_status(seen)
        return seen

    def secret(self, name: str, **data: str) -> None:
        """Create or change a Secret; underscores in keys stand for the dashes of `ssh-privatekey`."""
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name},
            "stringData": {key.replace("_", "-"): value for key, value in data.items()},
        }
        self.plane.kubectl("apply", "-f", "-", input=json.dumps(body))

    def host(self, host: str, name: str = "ha") -> dict[str, Any]:
        """A row of status.hosts; an empty one while it is missing."""
        rows = self.get(name).get("status", {}).get("hosts", [])
        return next((row for row in rows if row["name"] == host), {})

    def host_says(self, host: str, reason: str, name: str = "ha", seconds: float = 60) -> dict[str, Any]:
        """Wait until a row of status.hosts has this reason; returns the row."""

        def look() -> dict[str, Any] | None:
            row = self.host(host, name)
            return row if row.get("reason") == reason else None

        return self.told(f"{host} to be {reason}", look, seconds, name)

    def told(self, what: str, look: Callable[[], Any], seconds: float, name: str = "ha") -> Any:
        """`wait_for`, and on failure what the status and the operator's log say."""

        def look_while_it_runs() -> Any:
            assert self.operator.process is None or self.operator.process.poll() is None, "the operator ended by itself"
            return look()

        try:
            return wait_for(what, look_while_it_runs, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.story(name)}") from None

    def story(self, name: str = "ha") -> str:
        """Status and the end of the operator's log, for people who read a failure."""
        status = json.dumps(self.get(name).get("status", {}), indent=1)[:8000]
        return f"status: {status}\nlog: {self.operator.log.read_text(errors='replace')[-4000:]}"

    def events(self, reason: str = "", name: str = "ha") -> list[dict[str, Any]]:
        """Events about the object, those with this reason where one is given."""
        found = json.loads(self.plane.kubectl("get", "events.events.k8s.io", "-o", "json").stdout)["items"]
        return [e for e in found if reason in ("", e["reason"]) and e["regarding"].get("name") == name]

    def condition(self, kind: str, name: str = "ha") -> dict[str, Any]:
        """One condition; an empty one while it is missing."""
        for condition in self.get(name).get("status", {}).get("conditions", []):
            if condition["type"] == kind:
                return condition
        return {}

    def ready(self, name: str = "ha", seconds: float = 600) -> dict[str, Any]:
        """Wait until Ready=True about the newest generation; on failure say what status said."""
        self.told("Ready=True", lambda: self.is_ready(name), seconds, name)
        return self.get(name)

    def is_ready(self, name: str = "ha") -> bool:
        """Ready=True about the newest generation."""
        seen = self.get(name)
        status = seen.get("status", {})
        if status.get("observedGeneration") != seen["metadata"]["generation"]:
            return False
        return any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", []))

    def stalled(self, reason: str, name: str = "ha", seconds: float = 60) -> dict[str, Any]:
        """Wait until a condition is not as it should be for this reason; returns it."""

        def look() -> dict[str, Any] | None:
            for condition in self.get(name).get("status", {}).get("conditions", []):
                if condition["reason"] == reason and condition["type"] not in ("Ready", "Reconciling"):
                    return condition
            return None

        return self.told(f"a condition with reason {reason}", look, seconds, name)

    def cluster(self, name: str = "ha") -> Cluster:
        """The new cluster through its Secret `<name>-kubeconfig`."""
        data = json.loads(self.plane.kubectl("get", "secret", f"{name}-kubeconfig", "-o", "json").stdout)["data"]["value"]
        file = self.site.folder / f"{name}.kubeconfig"
        file.write_bytes(base64.b64decode(data))
        return Cluster(file)

    def delete(self, name: str = "ha", seconds: float = 300) -> None:
        """kubectl delete, and wait until the object is gone."""
        self.plane.kubectl("delete", "sealcluster", name, "--wait=false")
        wait_for("the object to be gone", lambda: self.plane.kubectl("get", "sealcluster", name, check=False).returncode != 0, seconds)


def _site(machines: Any, folder: Path, specs: Sequence[MachineSpec | int], images: Sequence[str]) -> Site:
    lab = machines(*specs)
    return Site(lab, serve(lab.name, lab.bridge_address, images), folder)


@pytest.fixture
def site(machines: Any, tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """`site(n)` or `site(spec, …)`: machines with a registry of these images; gone at the end."""
    made: list[Site] = []

    def make(*specs: MachineSpec | int, images: Sequence[str] = IMAGES) -> Site:
        made.append(_site(machines, tmp_path, specs, images))
        return made[-1]

    yield make
    for one in made:
        for process in one.commands:
            if process.poll() is None:
                process.kill()
                process.wait()
        one.registry.stop()


@pytest.fixture
def managed(site: Callable[..., Site], seal_plane: Any, tmp_path: Path) -> Iterator[Callable[..., Managed]]:
    """`managed(n)`: machines, a registry, a management plane with our kind and the Secret `lab-ssh`, and a running operator.

    More keywords are settings of the operator.
    """
    operators: list[Operator] = []

    def make(*specs: MachineSpec | int, secret: bool = True, images: Sequence[str] = IMAGES, **settings: str) -> Managed:
        here = site(*specs, images=images)
        operator = Operator(seal_plane, tmp_path, here.registry.address, **settings)
        operators.append(operator)
        managed = Managed(seal_plane, here, operator)
        if secret:
            managed.secret("lab-ssh", ssh_privatekey=here.key.read_text())
        operator.start()
        return managed

    yield make
    for operator in operators:
        operator.kill()
    _forget(seal_plane)


def _forget(plane: Any) -> None:
    """Leave the plane as the next test of the module wants it: no objects, no records of clusters whose machines are gone."""
    for kind in ("sealclusters", "secrets"):
        names = plane.kubectl("get", kind, "-o", "name").stdout.split()
        for name in names:
            plane.kubectl("patch", name, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
        if names:
            plane.kubectl("delete", *names, "--ignore-not-found")
    plane.kubectl("delete", "events.events.k8s.io", "--all")


def touched(machine: Machine) -> str:
    """What of ours lies on a machine: nothing, on one that no cluster may have."""
    places = "/var/lib/sealcluster /var/lib/sealos /var/lib/registry /etc/kubernetes /etc/containerd /etc/systemd/system/kubelet.service"
    return machine.exec(f"ls -d {places} 2>/dev/null; grep -n sealcluster /etc/hosts", check=False).stdout.decode()


def commands(machine: Machine) -> int:
    """How many jobs this machine's journal has seen start."""
    return int(machine.exec("grep -c ' started ' /var/lib/sealcluster/journal").stdout)


def journal(machine: Machine) -> list[tuple[str, str]]:
    """(state, step) of each line of a machine's journal, in order."""
    lines = machine.exec("cat /var/lib/sealcluster/journal", check=False).stdout.decode().splitlines()
    return [(words[2], words[3]) for words in (line.split() for line in lines) if len(words) == 8]
