"""The product in the lab: documents for machines, the command line, the operator as a process, and looks at the new cluster from outside.

Nothing here shares code with the product's own judgement: what is asked of a cluster is asked with kubectl.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from sealab.gobuild import binary
from sealab.machines import Lab, MachineSpec
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

    def document(self, masters: Sequence[str], workers: Sequence[str] = (), name: str = "ha", images: Sequence[str] = IMAGES, **spec: Any) -> dict[str, Any]:
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
        return {"name": name, "address": machine.address, "port": machine.port, "roles": [role]}

    def cli(self, *words: str, timeout: float = 600, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`sealcluster …` with this site's state directory; output goes to the test's output."""
        command = [str(Path(sys.executable).parent / "sealcluster"), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
        print(done.stdout, done.stderr, sep="\n")
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


class Cluster:
    """A finished cluster, seen from outside through its kubeconfig."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig

    def kubectl(self, *words: str, stdin: str | None = None, check: bool = True, timeout: float = 60) -> str:
        """The real kubectl."""
        done = subprocess.run(
            [binary("kubectl"), "--kubeconfig", str(self.kubeconfig), *words], input=stdin, capture_output=True, text=True, timeout=timeout, check=False
        )
        if check and done.returncode != 0:
            raise AssertionError(f"kubectl {' '.join(words)}: {done.stderr}")
        return done.stdout

    def get(self, *words: str) -> dict[str, Any]:
        """`kubectl get … -o json`."""
        return json.loads(self.kubectl("get", *words, "-o", "json"))

    def ready_nodes(self) -> set[str]:
        """Names of Ready nodes."""
        nodes = self.get("nodes")["items"]
        return {n["metadata"]["name"] for n in nodes if any(c["type"] == "Ready" and c["status"] == "True" for c in n["status"]["conditions"])}

    def pods(self, selector: str, namespace: str) -> list[dict[str, Any]]:
        """Pods of a selector."""
        return self.get("pods", "-n", namespace, "-l", selector)["items"]

    def etcd_members(self, site: Site, master: str) -> list[dict[str, Any]]:
        """etcd's own list, asked on a master."""
        script = (
            "id=$(crictl ps --name etcd -o json | python3 -c 'import json,sys; print(json.load(sys.stdin)[\"containers\"][0][\"id\"])'); "
            "crictl exec $id etcdctl --endpoints https://127.0.0.1:2379 --cacert /etc/kubernetes/pki/etcd/ca.crt "
            "--cert /etc/kubernetes/pki/etcd/healthcheck-client.crt --key /etc/kubernetes/pki/etcd/healthcheck-client.key member list -w json"
        )
        answer = site.lab.machines[master].exec(script)
        return json.loads(answer.stdout)["members"]


def _site(machines: Any, folder: Path, specs: Sequence[MachineSpec | int]) -> Site:
    lab = machines(*specs)
    return Site(lab, serve(lab.name, lab.bridge_address, IMAGES), folder)


@pytest.fixture
def site(machines: Any, tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """`site(n)` or `site(spec, …)`: machines with a registry; gone at the end."""
    made: list[Site] = []

    def make(*specs: MachineSpec | int) -> Site:
        made.append(_site(machines, tmp_path, specs))
        return made[-1]

    yield make
    for one in made:
        for process in one.commands:
            if process.poll() is None:
                process.kill()
                process.wait()
        one.registry.stop()


def environment(**more: str) -> dict[str, str]:
    """Environment of a product process."""
    return {**os.environ, **more}
