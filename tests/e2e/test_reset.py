"""Delete with Reset: the machines are as they were before the first install."""

import pytest

from labkit.cleanliness import assert_clean, picture

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1200)]


def test_a_deleted_cluster_leaves_machines_as_they_were(managed):
    here = managed(2)
    machines = here.site.lab.machines
    before = {name: picture(machine) for name, machine in machines.items()}
    here.apply(here.site.document(["m1"], ["m2"]))
    here.ready()
    here.delete()
    after = {name: picture(machine) for name, machine in machines.items()}
    assert_clean(before, after)
    secrets = here.plane.kubectl("get", "secrets", "-o", "name").stdout.split()
    assert secrets == ["secret/lab-ssh"], "no record is left either"

    here.apply(here.site.document(["m2"], ["m1"]))
    here.ready()
