"""The clock of the operator's machine is set forward and back: nothing waits for hours, nothing is done twice."""

import asyncio

import pytest

from sealcluster.testing import clock, truth
from sealcluster.testing.driver import Simulation
from sim.lives import cluster

HOURS = 7200.0


def story(tell, spec=None):
    async def main():
        sim = Simulation(3, spec or cluster("m1", "w1"))
        sim.on_report = lambda report: truth.check(sim, report)
        try:
            await tell(sim)
            assert truth.verdict(sim) == []
        finally:
            await sim.end()

    clock.run(main(), limit=50_000)


@pytest.mark.parametrize("before", [HOURS, -HOURS])
def test_a_machine_that_was_away_joins_soon_although_the_clock_was_set_meanwhile(before):
    async def tell(sim):
        sim.world.network.cut.add("w1")
        operator = sim.start(clock_offset=before)
        await asyncio.sleep(120)
        operator.clock.offset = 0.0
        sim.world.network.cut.discard("w1")
        await sim.until(lambda r: r.ready, 400)

    story(tell)


def test_a_secret_that_is_mended_is_read_although_the_clock_was_set_back():
    async def tell(sim):
        operator = sim.start()
        await sim.until(lambda r: r.ready, 1000)
        operator.clock.offset = HOURS
        sim.management.set("Secret", "ssh", {"username": "root", "password": "wrong"})
        await sim.until(lambda r: any(p.reason == "AuthenticationFailed" for p in r.problems), 120)
        operator.clock.offset = 0.0
        sim.management.set("Secret", "ssh", {"username": "root", "password": "secret"})
        await sim.until(lambda r: not r.problems, 120)

    story(tell)


@pytest.mark.parametrize("jump", [-HOURS, 400 * 86400.0])
def test_a_jump_changes_nothing_on_a_finished_cluster(jump):
    async def tell(sim):
        operator = sim.start()
        await sim.until(lambda r: r.ready, 1000)
        await asyncio.sleep(120)
        done = len(operator.effects.names)
        for offset in (jump, 0.0):
            operator.clock.offset = offset
            seen = len(operator.reports)
            await asyncio.sleep(120)
            assert len(operator.reports) - seen > 4, "it stood still"
        assert operator.effects.names[done:] == []

    story(tell)
