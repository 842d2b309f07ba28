"""The operator is killed over and over while a dead first master, registry on it, is replaced: the end is the same."""

import pytest

from labkit.killing import Killer

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]


def test_replacing_a_dead_first_master_survives_an_operator_that_is_killed_ten_times(managed, fault):
    here = managed(5)
    lab, machines = here.site.lab, here.site.lab.machines
    here.apply(here.site.document(["m1", "m2", "m3"]))
    here.ready()
    fault.power_off(lab, machines["m1"])
    lost = here.site.document(["m2", "m3", "m4"])
    lost["metadata"]["annotations"] = {"sealcluster.io/acknowledge-lost": f"m1={machines['m1'].machine_id}"}
    with Killer(here.operator, times=10, seed=4) as killer:
        here.apply(lost)
    here.ready()
    assert killer.kills == 10
    cluster = here.cluster()
    assert cluster.ready_nodes() == {"m2", "m3", "m4"}
    assert sorted(m["name"] for m in cluster.etcd_members(here.site, "m2")) == ["m2", "m3", "m4"]
    here.apply({**lost, "spec": here.site.document(["m2", "m3", "m4"], ["m5"])["spec"]})
    here.ready()
    assert cluster.ready_nodes() == {"m2", "m3", "m4", "m5"}
