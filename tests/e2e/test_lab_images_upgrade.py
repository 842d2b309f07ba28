"""The two Kubernetes images are a good pair: a machine made from the older is upgraded by hand with the newer."""

import pytest

from labkit.by_hand import ROOTFS, ByHand
from labkit.images import ClusterImages
from labkit.machines import Machines

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]  # v1.33.13 may have to be built first


def test_an_upgrade_by_hand(machines: Machines, cluster_image: ClusterImages) -> None:
    older, newer = (cluster_image("kubernetes", version) for version in ("v1.33.13", "v1.34.4"))
    machine = machines(1).machines["m1"]
    hand = ByHand.put(machine, older)
    for application in ("lab-cni", "hello"):
        hand.add(cluster_image(application))
    hand.bootstrap()
    hand.kubeadm_init()
    for application in ("lab-cni", "hello"):
        hand.apply(application)
    hand.wait_ready()
    assert _versions(hand) == {"v1.33.13"}

    # the new rootfs over the old one brings the new registry content too: the registry serves it at once
    hand = ByHand.put(machine, newer)
    machine.exec(f"install -m 755 {ROOTFS}/bin/kubeadm /usr/bin/kubeadm.new && mv /usr/bin/kubeadm.new /usr/bin/kubeadm")
    machine.exec(
        "kubeadm upgrade apply v1.34.4 --yes --ignore-preflight-errors SystemVerification,CreateJob,ControlPlaneNodesReady",
        timeout=300,
    )
    for program in ("kubelet", "kubectl"):
        machine.exec(f"install -m 755 {ROOTFS}/bin/{program} /usr/bin/{program}.new && mv /usr/bin/{program}.new /usr/bin/{program}")
    machine.exec("systemctl restart kubelet")
    hand.wait_ready()
    assert _versions(hand) == {"v1.34.4"}
    running = {
        container["image"]
        for pod in hand.get("pods -n kube-system -l tier=control-plane")["items"]
        for container in pod["spec"]["containers"]
    }
    assert "registry.k8s.io/kube-apiserver:v1.34.4" in running


def _versions(hand: ByHand) -> set[str]:
    return {node["status"]["nodeInfo"]["kubeletVersion"] for node in hand.get("nodes")["items"]}
