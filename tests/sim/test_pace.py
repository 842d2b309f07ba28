"""Doing nothing costs the same however many machines a process looks after, and what is not idle is not slowed down."""

import asyncio
from pathlib import Path

import pytest

from sealcluster.engine import pace, polling
from sealcluster.testing import clock
from sealcluster.testing.driver import Simulation
from sealcluster.testing.plane import Plane
from sim.lives import cluster

CRD = Path(__file__).parents[2] / "crds" / "sealclusters.sealcluster.io.yaml"


def story(tell, others=0):
    """`others`: machines of other clusters of the same process."""

    async def main():
        sim = Simulation(4, cluster("m1", "w1"))
        sim.pace.looks_after("another engine", others)
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


def test_ten_times_more_machines_are_looked_at_ten_times_more_rarely():
    async def tell(sim):
        assert sim.pace.slower() == pytest.approx(10.0)
        assert 2 * 5000 / 1200 <= await looks(sim) <= 2 * 5000 / (10 * polling.RESYNC)

    story(tell, others=5000 - 2)


def test_a_wish_is_carried_out_at_once_however_many_there_are():
    async def tell(sim):
        await asyncio.sleep(1000)
        sim.wish(cluster("m1", "w1", "w2"))
        await sim.until(lambda r: r.ready and len(r.view.wanted) == 3, 300)

    story(tell, others=5000 - 2)


def test_an_engine_that_ended_does_not_count():
    async def tell(sim):
        assert sim.pace.slower() == 20.0
        await sim.operators[-1].kill()
        assert sim.pace.slower() == pytest.approx((10_000 - 2) / 500)

    story(tell, others=10_000 - 2)


@pytest.mark.thorough
def test_the_clusters_of_an_operator_share_one_pace(monkeypatch):
    """With room for one machine, two clusters of one machine each are looked at half as often."""
    monkeypatch.setattr(pace, "FULL_PACE", 1)

    async def main():
        plane = Plane(1, CRD)
        try:
            for plane.name, host in (("other", "m2"), ("demo", "m1")):
                plane.wish(cluster(host))
                if plane.name == "other":
                    plane.start()
                await plane.until(plane.ready, 3600)
            await asyncio.sleep(600)
            before = plane.world.ledger.calls.copy()
            await asyncio.sleep(5000)
            looks = plane.world.ledger.calls - before
            assert {host: 5000 / 130 <= count <= 5000 / (2 * polling.RESYNC) for host, count in looks.items()} == {"m1": True, "m2": True}
        finally:
            await plane.end()

    clock.run(main(), limit=50_000)
