"""A machine is the same by what it is, not by the row that names it."""

import asyncio

import pytest

from sealcluster.testing import specs
from sim.lives import cluster, live, rows
from sim.test_scale_lost import gone

NAMES = ("m1", "m2", "m3", "w1")


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["w1", "m3"])
def test_one_that_was_given_up_as_lost_comes_back_as_a_new_one(name):
    async def story(life):
        await life.settled()
        rest = [n for n in NAMES if n != name]
        life.world.power_off(life.machine(name))
        life.sim.wish(cluster(*rest))
        await life.until(lambda r: r.blocked and r.view.generation == 2)
        life.sim.wish(cluster(*rest), annotations=gone(life, name))
        await life.settled()
        life.world.power_on(life.machine(name))
        life.sim.wish(cluster(*NAMES))
        await life.settled()
        assert life.voters() == ["m1", "m2", "m3"]
        assert life.nodes() == sorted(NAMES)

    live(cluster(*NAMES), story)


def test_a_second_row_for_a_machine_of_the_cluster_is_told_and_never_ready():
    async def story(life):
        await life.settled()
        life.world.network.put("10.0.0.99", life.machine("w1"))
        life.sim.wish(specs.spec(hosts=[*rows("m1", "w1"), {"name": "w9", "address": "10.0.0.99", "roles": ["node"]}]))
        await life.until(lambda r: any(p.reason == "DuplicateMachineID" and p.host == "w9" for p in r.problems), 300)
        await asyncio.sleep(300)
        assert not life.last.ready
        assert life.nodes() == ["m1", "w1"]

    live(cluster("m1", "w1"), story)
