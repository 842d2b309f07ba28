"""The operator is killed over and over while masters and workers come and go and while the cluster is deleted: the end is the same."""

import pytest

from labkit.cleanliness import assert_clean, picture
from labkit.killing import Killer

pytestmark = [pytest.mark.lab, pytest.mark.timeout(2400)]


def test_scaling_and_deletion_survive_an_operator_that_is_killed_ten_times_each(managed):
    here = managed(4)
    machines = here.site.lab.machines
    before = {name: picture(machine) for name, machine in machines.items()}
    here.apply(here.site.document(["m1"], ["m4"]))
    here.ready()
    cluster = here.cluster()

    with Killer(here.operator, times=10, seed=1) as up:
        here.apply(here.site.document(["m1", "m2", "m3"]))
    here.ready()
    assert up.kills == 10
    assert cluster.ready_nodes() == {"m1", "m2", "m3"}
    assert sorted(m["name"] for m in cluster.etcd_members(here.site, "m1")) == ["m1", "m2", "m3"]

    with Killer(here.operator, times=10, seed=2) as down:
        here.apply(here.site.document(["m2"], ["m4"]))
    here.ready()
    assert down.kills == 10
    cluster = here.cluster()
    assert cluster.ready_nodes() == {"m2", "m4"}
    assert [m["name"] for m in cluster.etcd_members(here.site, "m2")] == ["m2"]
    assert_clean({n: before[n] for n in ("m1", "m3")}, {n: picture(machines[n]) for n in ("m1", "m3")})

    with Killer(here.operator, times=10, seed=3, shortest=1.0, longest=4.0):
        here.delete()
    assert_clean(before, {name: picture(machine) for name, machine in machines.items()})
