"""A drain that a disruption budget blocks names it, and goes on when the budget allows."""

import json

import pytest

from labkit.product import wait_for

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1500)]

BUDGET = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "hello", "namespace": "default"},
    "spec": {"minAvailable": "100%", "selector": {"matchLabels": {"app": "hello"}}},
}


def test_a_blocked_drain_names_the_budget_and_goes_on_without_it(managed):
    here = managed(3)
    here.apply(here.site.document(["m1"], ["m2", "m3"]))
    here.ready()
    cluster = here.cluster()

    def running():
        return [p for p in cluster.pods("app=hello", "default") if p["status"]["phase"] == "Running"]

    wait_for("hello to run", lambda: len(running()) >= 2, 120)
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(BUDGET))
    crowded = running()[0]["spec"]["nodeName"]
    kept = next(name for name in ("m2", "m3") if name != crowded)
    here.apply(here.site.document(["m1"], [kept]))

    def named():
        return next((c["message"] for c in here.get()["status"]["conditions"] if "DrainBlocked" in c["reason"]), None)

    message = wait_for("DrainBlocked", named, 150)
    assert f"draining {crowded}" in message
    assert "disruption budget" in message
    assert "hello" in message
    assert here.site.lab.machines[crowded].exec("test -e /etc/kubernetes/kubelet.conf", check=False).returncode == 0

    cluster.kubectl("delete", "pdb", "hello")
    here.ready()
    assert cluster.ready_nodes() == {"m1", kept}
    assert here.site.lab.machines[crowded].exec("test -e /etc/kubernetes", check=False).returncode != 0
