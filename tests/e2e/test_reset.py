"""Delete with Reset: the machines are as they were before the first install."""

import pytest

from labkit.cleanliness import assert_clean, picture
from labkit.product import commands, wait_for

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


def test_a_retained_cluster_runs_on_and_is_taken_up_again(managed):
    here = managed(1)
    machine = here.site.lab.machines["m1"]
    kept = here.site.document(["m1"], deletionPolicy="Retain")
    here.apply(kept)
    here.ready()
    cluster = here.cluster()
    identity = cluster.get("namespace", "kube-system")["metadata"]["uid"]
    done = commands(machine)
    here.delete(seconds=30)
    assert cluster.get("namespace", "kube-system")["metadata"]["uid"] == identity, "the cluster runs on"
    secrets = here.plane.kubectl("get", "secrets", "-o", "name").stdout.split()
    assert {"secret/ha-state", "secret/ha-ca", "secret/ha-kubeconfig"} <= set(secrets)

    here.apply(kept)
    here.ready()
    assert commands(machine) == done, "nothing was run again"
    assert cluster.get("namespace", "kube-system")["metadata"]["uid"] == identity

    here.apply(here.site.document(["m1"], deletionPolicy="Reset"))
    here.delete()
    assert here.plane.kubectl("get", "secrets", "-o", "name").stdout.split() == ["secret/lab-ssh"]


def test_a_half_made_cluster_with_a_dead_machine_is_deleted(managed, fault):
    here = managed(3)
    lab, machines = here.site.lab, here.site.lab.machines
    before = {name: picture(machines[name]) for name in ("m1", "m2")}
    here.apply(here.site.document(["m1"], ["m2", "m3"]))
    wait_for("m3 to be claimed", lambda: machines["m3"].exec("test -e /var/lib/sealcluster/owner", check=False).returncode == 0, 120)
    wait_for("kubeadm init", lambda: machines["m1"].exec("test -e /etc/kubernetes/manifests", check=False).returncode == 0, 180)
    dead = machines["m3"].machine_id
    fault.power_off(lab, machines["m3"])
    here.plane.kubectl("delete", "sealcluster", "ha", "--wait=false")
    stalled = here.stalled("LostHostNeedsAcknowledgement", seconds=240)
    assert f"sealcluster.io/acknowledge-lost=m3={dead}" in stalled["message"]
    assert_clean(before, {name: picture(machines[name]) for name in before})
    here.plane.kubectl("annotate", "sealcluster", "ha", f"sealcluster.io/acknowledge-lost=m3={dead}")
    wait_for("the object to be gone", lambda: here.plane.kubectl("get", "sealcluster", "ha", check=False).returncode != 0, 60)


def test_a_cluster_that_grows_is_deleted_in_the_middle_of_it(managed):
    here = managed(4)
    machines = here.site.lab.machines
    before = {name: picture(machine) for name, machine in machines.items()}
    here.apply(here.site.document(["m1"]))
    here.ready()
    here.apply(here.site.document(["m1", "m2", "m3"], ["m4"]))
    wait_for("a second master to join", lambda: machines["m2"].exec("test -e /etc/kubernetes/manifests", check=False).returncode == 0, 240)
    here.delete()
    assert_clean(before, {name: picture(machine) for name, machine in machines.items()})
