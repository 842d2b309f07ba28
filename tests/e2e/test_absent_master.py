"""The first master of the list is down from the start: another one begins, serves the registry, and the first joins when it comes back."""

import pytest

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1500)]


def test_the_first_master_is_no_more_needed_than_the_others(managed, fault):
    here = managed(3)
    lab, absent = here.site.lab, here.site.lab.machines["m1"]
    fault.power_off(lab, absent)
    here.apply(here.site.document(["m1", "m2", "m3"]))
    assert absent.address in here.host_says("m1", "HostUnreachable")["message"]

    def rest_is_there():
        available = here.condition("Available").get("status") == "True"
        return available and here.condition("GuestsApplied")["status"] == "True" and here.get()["status"]["nodes"]["masters"] == "2/3"

    here.told("the rest to be made", rest_is_there, 600)
    cluster = here.cluster()
    assert cluster.ready_nodes() == {"m2", "m3"}
    assert sorted(m["name"] for m in cluster.etcd_members(here.site, "m2")) == ["m2", "m3"]
    assert here.condition("Ready")["status"] == "False"
    assert "m1" in here.condition("ControlPlaneHealthy")["message"]

    fault.power_on(lab, absent)
    here.ready(seconds=420)
    assert cluster.ready_nodes() == {"m1", "m2", "m3"}
    members = cluster.etcd_members(here.site, "m2")
    assert sorted(m["name"] for m in members) == ["m1", "m2", "m3"]
    assert not any(m.get("isLearner") for m in members)
