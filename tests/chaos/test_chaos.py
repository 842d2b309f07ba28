"""`make chaos MINUTES=30`: random faults on real machines while a cluster is made, grows, shrinks and is deleted, over and over."""

import os
import random
import time

import pytest

from chaos.disturber import Disturber
from chaos.history import Register, Watcher
from labkit.cleanliness import Intended, assert_clean, picture
from labkit.product import journal

MINUTES = float(os.environ.get("CHAOS_MINUTES", "0"))
SEED = int(os.environ.get("CHAOS_SEED", "1"))

pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(int(MINUTES * 60) + 3600),
    pytest.mark.skipif(MINUTES == 0, reason="it takes as long as it is told: make chaos MINUTES=30"),
]

SHAPES = [
    (["m1"], ["m4"]),
    (["m1", "m2", "m3"], ["m4"]),
    (["m1", "m2", "m3"], ["m4", "m5"]),
    (["m2", "m3", "m5"], ["m4"]),
    (["m2"], ["m4", "m1"]),
]

REBOOTED = (
    Intended("units unit blockdev@dev-loop*.target: *", "the lab's disk of a machine is another loop device after each boot"),
    Intended("units unit machine-ssh-keys.service: *", "makes the machine's SSH keys at its first boot only"),
)


def test_a_cluster_that_is_disturbed_all_the_time_ends_as_it_is_wanted(managed):
    here = managed(5)
    lab, machines = here.site.lab, here.site.lab.machines
    before = {name: picture(machine) for name, machine in machines.items()}
    chance = random.Random(SEED)
    end = time.monotonic() + MINUTES * 60
    creations, edits, writes, lives = 0, 0, 0, []
    with Watcher(here.plane) as watcher, Disturber(lab, here.operator, SEED) as disturber:
        while time.monotonic() < end:
            shape = chance.choice(SHAPES)
            here.apply(here.site.document(*shape))
            creations += 1
            here.ready(seconds=1800)
            with disturber.calm():
                here.ready(seconds=900)
                cluster = here.cluster()
                identity = cluster.get("namespace", "kube-system")["metadata"]["uid"]
            register = Register(cluster)
            for _ in range(chance.randint(1, 4)):
                if time.monotonic() > end:
                    break
                shape = chance.choice([s for s in SHAPES if set(s[0]) & set(shape[0])])
                here.apply(here.site.document(*shape))
                edits += 1
                _write_until(here, register, seconds=1800)
            with disturber.calm():
                here.ready(seconds=900)
                now = here.cluster()
                assert now.get("namespace", "kube-system")["metadata"]["uid"] == identity, "another cluster under the same name"
                if register.confirmed:
                    assert int(now.get("configmap", "register")["data"]["number"]) >= register.confirmed, "a confirmed write is gone"
                lives.append(_inits(machines))
                writes += register.confirmed
            if time.monotonic() < end:
                here.delete(seconds=1200)
    here.ready(seconds=900)
    assert here.cluster().ready_nodes() == {name for part in shape for name in part}
    here.delete(seconds=600)
    told = ", ".join(f"{count} x {kind}" for kind, count in sorted(disturber.counts.items()))
    print(  # noqa: T201 - what a person ran it for
        f"\n{MINUTES:g} minutes, seed {SEED}: {creations} creations, {edits} edits, {sum(disturber.counts.values())} faults: {told};"
        f" {writes} confirmed writes, {len(watcher.seen)} versions of the object seen"
    )
    assert watcher.wrong == []
    assert all(count <= 1 for count in lives), lives
    assert_clean(before, {name: picture(machine) for name, machine in machines.items()}, *REBOOTED)


def _write_until(here, register, seconds):
    """Write all the time until the edit is done."""
    deadline = time.monotonic() + seconds
    while not here.is_ready():
        if not register.write():
            here.cluster()  # the master that this kubeconfig led to may be on its way out
        assert time.monotonic() < deadline, here.story()
        time.sleep(1)


def _inits(machines):
    """How often `kubeadm init` succeeded in this life of the cluster, by the journals of machines that are part of it."""
    return sum(journal(machine).count(("done", "kubeadm-init")) for machine in machines.values())
