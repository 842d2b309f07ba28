"""A cluster image installed on one machine as its format says, step by step and without the product."""

import json
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bcrypt

from sealab.clusterimage import ClusterImage
from sealab.clusterimage_unpack import config, render, unpack
from sealab.machines import Machine

ROOTFS = Path("/var/lib/sealos/data/hand/rootfs")
KUBECTL = "kubectl --kubeconfig /etc/kubernetes/admin.conf"

KUBEADM = """\
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {{advertiseAddress: {address}}}
nodeRegistration: {{criSocket: "unix:///run/containerd/containerd.sock", imagePullPolicy: {policy}, taints: []}}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: {version}
networking: {{podSubnet: 100.64.0.0/10, serviceSubnet: 10.96.0.0/22}}
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: systemd
failSwapOn: false
featureGates: {{KubeletInUserNamespace: true}}
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
conntrack: {{maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}}
"""


@dataclass
class ByHand:
    """One machine and the rootfs image that is put on it."""

    machine: Machine
    image: ClusterImage
    env: dict[str, str]
    labels: dict[str, str]

    @classmethod
    def put(cls, machine: Machine, image: ClusterImage, env: Mapping[str, str] | None = None) -> "ByHand":
        """Unpacks and renders the image in the machine's rootfs folder; over an older one's files, as installers do."""
        read = config(image)
        merged = {**read["env"], "SEALOS_SYS_KUBE_VERSION": read["labels"]["version"], "SEALOS_SYS_RUN_MODE": "master", **(env or {})}
        target = machine.rootfs / ROOTFS.relative_to("/")
        fresh = target.with_name("fresh")
        unpack(image, fresh)
        render(fresh, merged)
        target.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-a", f"{fresh}/.", target], check=True)
        subprocess.run(["rm", "-rf", fresh], check=True)
        return cls(machine, image, merged, read["labels"])

    def add(self, image: ClusterImage) -> None:
        """Adds an application image's registry content; its manifests go to /root/NAME."""
        name = image.ref.partition(":")[0]
        target = self.machine.rootfs / "root" / name
        unpack(image, target)
        render(target, {**config(image)["env"], "PATH": ""})
        tree = self.machine.rootfs / ROOTFS.relative_to("/") / "registry"
        subprocess.run(["cp", "-a", f"{target}/registry/.", tree], check=True)

    def script(self, label: str, *, check: bool = True) -> subprocess.CompletedProcess[bytes]:
        """Runs one of the image's scripts the way every installer calls them."""
        exports = " ".join(f'{key}="{value}"' for key, value in self.env.items())
        return self.machine.exec(f"cd {ROOTFS}/scripts && export {exports}; bash {self.labels[label]}", check=check, timeout=120)

    def bootstrap(self) -> None:
        """Everything before kubeadm: names, check, registry, runtime, node."""
        self.machine.exec(f"echo '{self.machine.address} sealos.hub' >>/etc/hosts")
        self.script("check")
        password = bcrypt.hashpw(self.env["registryPassword"].encode(), bcrypt.gensalt(4)).decode()
        (self.machine.rootfs / ROOTFS.relative_to("/") / "etc/registry_htpasswd").write_text(f"{self.env['registryUsername']}:{password}\n")
        self.machine.exec(f"rm -rf {self.env['registryData']} && ln -s {ROOTFS}/registry {self.env['registryData']}")
        self.script("init-registry")
        if "init-cri" in self.labels:
            self.script("init-cri")
        self.script("init")

    def kubeadm_init(self, policy: str = "IfNotPresent") -> None:
        """A cluster of this one machine, which also takes workloads."""
        text = KUBEADM.format(address=self.machine.address, version=self.labels["version"], policy=policy)
        self.machine.exec("cat >/root/kubeadm.yaml", input=text.encode())
        self.machine.exec("kubeadm init --config /root/kubeadm.yaml --ignore-preflight-errors SystemVerification", timeout=240)

    def apply(self, name: str) -> None:
        """Applies an added application image's manifests."""
        self.machine.exec(f"{KUBECTL} apply -f /root/{name}/manifests/{name}.yaml")

    def get(self, what: str) -> dict[str, Any]:
        """`kubectl get … -o json`."""
        answer: dict[str, Any] = json.loads(self.machine.exec(f"{KUBECTL} get {what} -o json").stdout)
        return answer

    def wait_ready(self, seconds: float = 120) -> None:
        """Until the node is Ready with this image's kubelet and every pod runs and is ready; the API may come and go meanwhile."""
        deadline = time.monotonic() + seconds
        while not self._all_ready():
            if time.monotonic() > deadline:
                seen = self.machine.exec(f"{KUBECTL} get nodes,pods -A -o wide; journalctl -u kubelet -n 20 --no-pager", check=False)
                raise AssertionError(seen.stdout.decode() + seen.stderr.decode())
            time.sleep(0.3)

    def _all_ready(self) -> bool:
        seen = self.machine.exec(f"{KUBECTL} get nodes,pods -A -o json", check=False)
        if seen.returncode:
            return False
        items = json.loads(seen.stdout)["items"]
        nodes = [item for item in items if item["kind"] == "Node"]
        current = all(node["status"]["nodeInfo"]["kubeletVersion"] == self.labels["version"] for node in nodes)
        return current and bool(nodes) and all(_condition(node, "Ready") for node in nodes) and all(map(_pod_ready, _pods(items)))


def _pods(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [item for item in items if item["kind"] == "Pod"]


def _condition(item: dict[str, Any], kind: str) -> bool:
    return any(one["type"] == kind and one["status"] == "True" for one in item["status"].get("conditions", []))


def _pod_ready(pod: dict[str, Any]) -> bool:
    return pod["status"]["phase"] == "Running" and _condition(pod, "Ready")
