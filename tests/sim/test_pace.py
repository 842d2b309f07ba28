"""Doing nothing costs the same however many machines a process looks after, and what is not idle is not slowed down."""

import asyncio

import pytest

from sealcluster.engine import pace, polling
from sealcluster.testing import clock
from sealcluster.testing.driver import Simulation
from sim.lives import cluster


class Other:
    """An engine elsewhere in the process."""


@pytest.fixture
def crowd():
    other = Other()
    pace.looked_after(other, 5000 - 2)
    yield other
    pace.looked_after(other, 0)


def story(tell):
    async def main():
        sim = Simulation(4, cluster("m1", "w1"))
        try:
            sim.start()
            await sim.until(lambda r: r.ready, 400)
            await tell(sim)
        finally:
            await sim.end()

    clock.run(main(), limit=50_000)


async def looks(sim):
    await asyncio.sleep(600)
    before = sum(sim.world.ledger.calls.values())
    await asyncio.sleep(5000)
    return sum(sim.world.ledger.calls.values()) - before


def test_a_small_number_of_machines_is_looked_at_every_minute():
    async def tell(sim):
        assert await looks(sim) >= 2 * 5000 / 65

    story(tell)


def test_ten_times_more_machines_are_looked_at_ten_times_more_rarely(crowd):
    async def tell(sim):
        assert pace.slower() == pytest.approx(10.0)
        assert 2 * 5000 / 1200 <= await looks(sim) <= 2 * 5000 / (10 * polling.RESYNC)

    story(tell)


def test_a_wish_is_carried_out_at_once_however_many_there_are(crowd):
    async def tell(sim):
        await asyncio.sleep(1000)
        sim.wish(cluster("m1", "w1", "w2"))
        await sim.until(lambda r: r.ready and len(r.view.wanted) == 3, 300)

    story(tell)


def test_an_engine_that_ended_does_not_count():
    other = Other()
    pace.looked_after(other, 10_000)
    assert pace.slower() == 20.0
    pace.looked_after(other, 0)
    assert pace.slower() == 1.0
