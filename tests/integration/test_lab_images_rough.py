"""The image `rough` is a real image: it makes a cluster, and it is as strict with its installer as real ones are."""

import pytest

from labkit.by_hand import ByHand
from labkit.images import ClusterImages
from labkit.machines import Machines

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

PULL = "for i in $(kubeadm config images list --kubernetes-version v1.34.4); do crictl pull sealos.hub:5000/${i#*/}; done"


def test_a_cluster_from_rough_and_its_strictness(machines: Machines, cluster_image: ClusterImages) -> None:
    machine = machines(1).machines["m1"]
    hand = ByHand.put(machine, cluster_image("rough"))
    for application in ("lab-cni", "hello"):
        hand.add(cluster_image(application))
    rough_conf = machine.exec("cat /var/lib/sealos/data/hand/rootfs/etc/rough.conf").stdout.decode()
    assert "nobody sets this key: <no value>" in rough_conf
    assert "domain=sealos.hub\nvalues=sealos.hub\nport=5000\npiped=SEALOS.HUB\nroles=master\n" in rough_conf
    assert "master=yes" in rough_conf

    hand.bootstrap()
    refused = hand.script("init", check=False)
    assert refused.returncode == 1
    assert b"has run on this machine" in refused.stderr

    # Only the image service in front of containerd knows names of other registries.
    name = "registry.k8s.io/coredns/coredns:v1.12.1"
    direct = machine.exec(f"crictl -i unix:///run/containerd/containerd.sock -t 5s pull {name}", check=False)
    assert direct.returncode != 0
    machine.exec(f"crictl pull {name}")
    machine.exec(PULL)
    hand.kubeadm_init(policy="Never")
    for application in ("lab-cni", "hello"):
        hand.apply(application)
    hand.wait_ready()

    busy = hand.script("check", check=False)
    assert busy.returncode == 1
    assert b"occupied" in busy.stderr
    kubelet = machine.exec("cat /proc/$(pidof kubelet)/cmdline | tr '\\0' ' '").stdout.decode()
    assert "--image-service-endpoint=unix:///var/run/image-cri-shim.sock" in kubelet

    machine.exec("kubeadm reset -f", timeout=120)
    for label in ("clean-registry", "clean-cri", "clean"):
        hand.script(label)
    left = machine.exec("ls /usr/bin/kubelet /usr/bin/containerd /usr/bin/registry /run/containerd; pgrep -l containerd", check=False)
    assert left.stdout == b""


def test_commands_fail_when_the_env_asks_for_it(cluster_image: ClusterImages, machines: Machines) -> None:
    machine = machines(1).machines["m1"]
    hand = ByHand.put(machine, cluster_image("rough"))
    run = "cd /var/lib/sealos/data/hand/rootfs && bash scripts/guest.sh second"
    machine.exec(run)
    failed = machine.exec(f"{run} second", check=False)
    assert failed.returncode == 1
    assert b"roughFail" in failed.stderr
    assert hand.labels["image"] == "$registryDomain:${registryPort}/sealos/lvscare:v1"
