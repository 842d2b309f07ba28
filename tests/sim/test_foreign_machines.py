"""A machine of another cluster has a journal of its own: what was done there was done for others."""

import asyncio

import pytest

from sealcluster.core.facts import JournalEntry, Owner
from sealcluster.testing import specs
from sealcluster.testing.model.machine import Machine
from sim.lives import cluster, live

MADE = ("claim", "rootfs-parts", "rootfs", "registry", "registry-tree", "hosts", "certificates", "init", "pull")


def make_foreign(machine, *steps):
    machine.owner, machine.fence = Owner("0123456789abcdef", machine.name), 3
    for step in steps:
        machine.record(JournalEntry(step, "d" * 64, 1, "done", 0, 1.0))


@pytest.mark.parametrize("steps", [("claim",), (*MADE, "kubeadm-join"), (*MADE, "kubeadm-init")], ids=["claimed", "joined", "initialised"])
def test_one_that_stands_first_in_the_list_holds_up_nobody(steps):
    async def story(life):
        machine = life.machine("m1")
        make_foreign(machine, *steps)
        journal = dict(machine.journal)
        report = await life.until(
            lambda r: {"m2", "m3"} <= r.view.cluster.ready_masters and any(g.rc == 0 for g in r.view.state.guests.values()), 3600
        )
        assert [(p.reason, p.host) for p in report.problems] == [("HostOfAnotherCluster", "m1")]
        assert life.voters() == ["m2", "m3"]
        assert (machine.journal, machine.store) == (journal, {})

    live(cluster("m1", "m2", "m3", "w1"), story)


def test_no_balancer_leads_to_it():
    async def story(life):
        await life.settled()
        other = Machine("m2", specs.address(2))
        life.world.add(other)
        make_foreign(other, *MADE, "kubeadm-join")
        life.sim.wish(cluster("m1", "m2", "w1"))
        await life.until(lambda r: any(p.reason == "HostOfAnotherCluster" for p in r.problems))
        await asyncio.sleep(120)
        leading = [path for path, entry in life.machine("w1").files.entries.items() if other.address.encode() in entry.content]
        assert leading == []

    live(cluster("m1", "w1"), story)
