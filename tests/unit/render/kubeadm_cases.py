"""Inputs that the golden files of kubeadm configuration are rendered from, and their names."""

from collections.abc import Iterator
from pathlib import Path

from sealcluster.render.kubeadm import render_init, render_join
from sealcluster.render.kubeadm_inputs import ClusterInputs, Discovery, KubeadmDocuments, NodeInputs, Taint

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "kubeadm"
MINORS = range(23, 38)
HASH = "sha256:" + "0123456789abcdef" * 4
TOKEN = "abcdef.0123456789abcdef"
DISCOVERY = Discovery("10.0.0.11:6443", (HASH,), TOKEN)
USER = KubeadmDocuments(
    cluster={
        "apiVersion": "kubeadm.k8s.io/v1beta3",
        "apiServer": {
            "certSANs": ["192.168.72.100", "apiserver.cluster.local"],
            "extraArgs": {"audit-log-maxage": 30, "profiling": False},
            "extraVolumes": [{"name": "logs", "hostPath": "/data/audit", "mountPath": "/var/log/kubernetes"}],
            "timeoutForControlPlane": "6m0s",
        },
        "controllerManager": {"extraArgs": {"bind-address": "0.0.0.0"}},
        "etcd": {"local": {"dataDir": "/data/etcd", "extraArgs": {"quota-backend-bytes": "8589934592"}}},
    },
    init={"nodeRegistration": {"kubeletExtraArgs": {"v": 2}}},
    join={"apiVersion": "kubeadm.k8s.io/v1beta3", "discovery": {"timeout": "10m0s"}, "nodeRegistration": {"kubeletExtraArgs": {"v": 2}}},
    kubelet={"maxPods": 250, "evictionHard": {"memory.available": "500Mi"}},
    kube_proxy={"ipvs": {"scheduler": "lc", "excludeCIDRs": ["10.103.97.3/32"]}},
)
IMAGE = KubeadmDocuments(
    cluster={"networking": {"serviceSubnet": "100.55.0.0/16"}, "apiServer": {"extraArgs": {"audit-log-maxage": "14", "v": "1"}}},
    kubelet={"failCgroupV1": False, "failSwapOn": False, "featureGates": {"EphemeralContainers": True, "KubeletInUserNamespace": True}},
)


def cluster(minor: int, **more: object) -> ClusterInputs:
    """Three masters, the release's natural proxy mode."""
    mode = "nftables" if minor >= 35 else "ipvs"
    values: dict[str, object] = {"masters": ("10.0.0.11", "10.0.0.12", "10.0.0.13"), "proxy_mode": mode, **more}
    return ClusterInputs(f"v1.{minor}.4", **values)  # type: ignore[arg-type]  # a table of keyword arguments


def cases() -> Iterator[tuple[str, str]]:
    """(file name, text) of every golden file."""
    first, second, worker = NodeInputs("m1", "10.0.0.11"), NodeInputs("m2", "10.0.0.12"), NodeInputs("w1", "10.0.0.21")
    for minor in MINORS:
        yield f"v1.{minor}-init.yaml", render_init(cluster(minor), first)
        yield f"v1.{minor}-join-master.yaml", render_join(cluster(minor), second, DISCOVERY, master=True)
        yield f"v1.{minor}-join-worker.yaml", render_join(cluster(minor), worker, DISCOVERY, master=False)
    for minor in (23, 34):
        layered = cluster(minor, user_documents=USER, image_documents=IMAGE, image_service_endpoint="unix:///var/run/image-cri-shim.sock")
        tainted = NodeInputs("m2", "10.0.0.12", taints=(Taint("dedicated", "NoSchedule", "infra"),))
        yield f"v1.{minor}-layers-init.yaml", render_init(layered, first)
        yield f"v1.{minor}-layers-join-master.yaml", render_join(layered, tainted, DISCOVERY, master=True)
        yield f"v1.{minor}-single-init.yaml", render_init(cluster(minor, single_node=True, vip=None, proxy_mode="iptables"), first)


if (
    __name__ == "__main__"
):  # write the golden files anew, after a change on purpose: PYTHONPATH=operator python tests/unit/render/kubeadm_cases.py
    for name, text in cases():
        (GOLDEN / name).write_text(text)
