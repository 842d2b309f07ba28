"""The Kubernetes image's scripts may run again, and take away all that they and kubeadm brought."""

import json
from collections.abc import Iterator

import pytest

from labkit.by_hand import ByHand
from labkit.images import ClusterImages
from labkit.machines import Machines

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

TRACES = "/usr/bin/kubelet /usr/bin/containerd /usr/bin/registry /etc/containerd /var/lib/containerd /run/containerd /var/lib/kubelet"
TRACES += " /etc/kubernetes /var/lib/etcd /etc/registry /var/lib/registry /opt/containerd /var/log/pods /etc/crictl.yaml"


@pytest.fixture(scope="module")
def hand(module_machines: Machines, cluster_image: ClusterImages) -> Iterator[ByHand]:
    """A cluster of one machine."""
    hand = ByHand.put(module_machines(1).machines["m1"], cluster_image("kubernetes", "v1.34.4"))
    for application in ("lab-cni", "hello"):
        hand.add(cluster_image(application))
    hand.bootstrap()
    hand.kubeadm_init()
    for application in ("lab-cni", "hello"):
        hand.apply(application)
    hand.wait_ready()
    yield hand


def test_init_again_disturbs_nothing(hand: ByHand) -> None:
    containers = set(hand.machine.exec("crictl ps -q").stdout.split())
    for label in ("check", "init-registry", "init"):
        hand.script(label)
    assert set(hand.machine.exec("crictl ps -q").stdout.split()) == containers


def test_crictl_speaks_like_the_real_one(hand: ByHand) -> None:
    machine = hand.machine
    (found,) = json.loads(machine.exec("crictl ps --name '^etcd$' -o json").stdout)["containers"]
    assert (found["metadata"]["name"], found["metadata"]["attempt"]) == ("etcd", 0)
    assert found["state"] == "CONTAINER_RUNNING"
    assert found["labels"]["io.kubernetes.container.name"] == "etcd"
    same = machine.exec("crictl ps -q --label io.kubernetes.container.name=etcd").stdout.decode().strip()
    assert same == found["id"]
    assert b"etcdctl version: 3.6.5" in machine.exec(f"crictl exec {same} etcdctl version").stdout
    assert machine.exec(f"crictl exec -s {same} etcdctl no-such-command", check=False).returncode != 0
    last = machine.exec(f"crictl logs --tail 3 {same}").stdout.splitlines()
    assert len(last) == 3
    assert all(json.loads(line)["caller"] for line in last)
    (pod,) = json.loads(machine.exec("crictl pods --name '^etcd-m1$' --namespace kube-system -o json").stdout)["items"]
    assert pod["id"] == found["podSandboxId"]
    images = json.loads(machine.exec("crictl images -o json").stdout)["images"]
    pause = next(image for image in images if "sealos.hub:5000/pause:3.10.1" in image["repoTags"])
    assert isinstance(pause["size"], str)
    assert int(pause["size"]) > 100_000
    status = json.loads(machine.exec("crictl inspecti sealos.hub:5000/pause:3.10.1").stdout)["status"]
    assert status["id"] == pause["id"]
    assert machine.exec("crictl inspecti no/such:image", check=False).returncode == 1
    conditions = {one["type"]: one["status"] for one in json.loads(machine.exec("crictl info").stdout)["status"]["conditions"]}
    assert conditions == {"RuntimeReady": True, "NetworkReady": True}
    assert machine.exec("crictl frobnicate", check=False).returncode == 1


def test_clean_leaves_nothing(hand: ByHand) -> None:
    """Last: the cluster is gone afterwards. Without `kubeadm reset`, as on a machine where that fails."""
    machine = hand.machine
    for label in ("clean-registry", "clean"):
        hand.script(label)
    left = machine.exec(f"ls -d {TRACES} 2>/dev/null", check=False).stdout.decode()
    assert left == ""
    processes = machine.exec("cat /proc/[0-9]*/comm").stdout.decode().split()
    assert not {"kubelet", "containerd", "containerd-shim", "etcd", "kube-apiserver", "pause", "coredns", "registry"} & set(processes)
    assert b"containerd" not in machine.exec("cat /proc/mounts").stdout
    hand.script("check")
    for label in ("clean-registry", "clean"):  # again
        hand.script(label)
