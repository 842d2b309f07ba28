"""The command line makes clusters without any management plane."""

import pytest

from labkit.cluster import Cluster
from labkit.product import IMAGES, journal, wait_for

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]


def test_one_machine_becomes_a_cluster_whose_only_node_takes_workloads(site):
    here = site(1)
    done = here.apply(here.document(["m1"]))
    assert "is ready" in done.stderr
    cluster = Cluster(here.kubeconfig())
    assert cluster.ready_nodes() == {"m1"}
    assert not cluster.get("node", "m1")["spec"].get("taints")
    wait_for("hello to run on it", lambda: [p for p in cluster.pods("app=hello", "default") if p["status"]["phase"] == "Running"], 60)


KUBEADM = """\
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failSwapOn: false
featureGates: {KubeletInUserNamespace: true}
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
"""


def test_run_makes_three_masters_and_two_workers_and_a_second_run_does_nothing(site):
    here = site(5)
    machines = here.lab.machines
    kubeadm = here.folder / "kubeadm.yaml"
    kubeadm.write_text(KUBEADM)
    masters = f"{machines['m1'].address}-{machines['m3'].address}"
    workers = f"{machines['m4'].address},{machines['m5'].address}"
    words = ["run", *(here.registry.ref(image) for image in IMAGES), "--masters", masters, "--nodes", workers, "--name", "ha"]
    words += ["--config-file", str(kubeadm), *here.flags()]
    assert "is ready" in here.cli(*words).stderr
    cluster = Cluster(here.kubeconfig())
    assert len(cluster.ready_nodes()) == 5
    members = cluster.etcd_members(here, "m1")
    assert len(members) == 3
    assert not any(m.get("isLearner") for m in members)
    wait_for("hello to run", lambda: [p for p in cluster.pods("app=hello", "default") if p["status"]["phase"] == "Running"], 90)
    assert here.cli("status", "ha", "--state", str(here.folder / "state")).returncode == 0

    started = {name: journal(machine) for name, machine in machines.items()}
    here.cli(*words)
    assert {name: journal(machine) for name, machine in machines.items()} == started
