"""The command line makes clusters without any management plane."""

import pytest

from labkit.product import Cluster, wait_for

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]


def test_one_machine_becomes_a_cluster_whose_only_node_takes_workloads(site):
    here = site(1)
    done = here.apply(here.document(["m1"]))
    assert "is ready" in done.stderr
    cluster = Cluster(here.kubeconfig())
    assert cluster.ready_nodes() == {"m1"}
    assert not cluster.get("node", "m1")["spec"].get("taints")
    wait_for("hello to run on it", lambda: [p for p in cluster.pods("app=hello", "default") if p["status"]["phase"] == "Running"], 60)
