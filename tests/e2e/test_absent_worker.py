"""A worker that is down from the start holds up nobody, is named, and joins by itself when it comes back."""

import pytest

from labkit.product import wait_for

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1500)]


def test_a_worker_that_is_down_from_the_start_joins_by_itself_when_it_comes_back(managed, fault):
    here = managed(3)
    lab, absent = here.site.lab, here.site.lab.machines["m3"]
    fault.power_off(lab, absent)
    here.apply(here.site.document(["m1"], ["m2", "m3"]))
    row = here.host_says("m3", "HostUnreachable")
    assert row["state"] == "Unreachable"
    assert absent.address in row["message"]

    def rest_is_ready():
        applied = here.condition("GuestsApplied").get("status") == "True"
        return applied and here.condition("Available")["status"] == "True" and here.get()["status"]["nodes"]["workers"] == "1/2"

    here.told("the rest to be made", rest_is_ready, 600)
    cluster = here.cluster()
    wait_for("m1 and m2 to be Ready nodes", lambda: cluster.ready_nodes() == {"m1", "m2"}, 60)
    wait_for("hello to run", lambda: any(p["status"]["phase"] == "Running" for p in cluster.pods("app=hello", "default")), 90)

    def waits():
        reconciling = here.condition("Reconciling")
        return reconciling if reconciling["status"] == "True" and reconciling["reason"] == "ProgressingWithRetry" else None

    reconciling = here.told("Reconciling to say that it tries again", waits, 60)
    assert "m3" in reconciling["message"]
    assert "attempt" in reconciling["message"]
    reachable = here.condition("HostsReachable")
    assert (reachable["status"], reachable["reason"]) == ("False", "HostUnreachable")
    assert "m3" in reachable["message"]
    workers = here.condition("WorkersReady")
    assert workers["status"] == "False"
    assert "m3" in workers["message"]
    assert here.condition("Ready")["status"] == "False"
    assert here.condition("Stalled")["status"] == "False"
    assert here.condition("EtcdHealthy")["status"] == "True"
    notes = [e["note"] for e in here.events("HostUnreachable")]
    assert len(notes) == 1, notes
    assert "m3" in notes[0]

    fault.power_on(lab, absent)
    here.ready(seconds=420)
    assert cluster.ready_nodes() == {"m1", "m2", "m3"}
    assert here.get()["status"]["nodes"]["workers"] == "2/2"
    assert here.host("m3")["state"] == "Ready"
