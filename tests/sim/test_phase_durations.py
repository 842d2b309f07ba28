"""How long phases took is told whole, also where the operator that saw the end is not the one that saw the beginning."""

import asyncio
from datetime import datetime

import pytest

from sealcluster.testing import specs
from sim.planes import supervised

AWAY = 45


def under_way(plane):
    progress = (plane.object().get("status") or {}).get("progress") or {}
    return {row["phase"]: datetime.fromisoformat(row["since"]).timestamp() for row in progress.get("underWay") or ()}


def total(process, phase, outcome="finished"):
    found = process.supervisor.durations().get((phase, outcome))
    return (sum(found.counts), found.seconds) if found else (0, 0.0)


@pytest.mark.thorough
def test_a_creation_is_counted_phase_by_phase():
    async def tell(plane):
        began = plane.world.now()
        await plane.until(plane.ready, 3600)
        took = plane.world.now() - began
        durations = plane.processes[-1].supervisor.durations()
        assert {outcome for _, outcome in durations} == {"finished"}
        for phase in ("init-control-plane", "join-masters", "join-nodes", "guests"):
            times, seconds = total(plane.processes[-1], phase)
            assert times >= 1, phase
            assert 0 < seconds < took, phase
        assert under_way(plane) == {}
        known = {key: sum(found.counts) for key, found in durations.items()}
        await asyncio.sleep(1000)
        assert {key: sum(found.counts) for key, found in durations.items()} == known, "where nothing is done nothing is counted"

    supervised(tell, specs.spec(3, 2))


@pytest.mark.thorough
def test_a_phase_that_outlives_its_operator_is_counted_once_and_whole():
    async def tell(plane):
        await plane.until(lambda: "join-masters" in under_way(plane), 3600)
        began = under_way(plane)["join-masters"]
        first = plane.processes[-1]
        await first.stop()
        await asyncio.sleep(AWAY)
        second = plane.start()
        await plane.until(lambda: total(second, "join-masters")[0] > 0, 3600)
        ended = plane.world.now()
        assert total(first, "join-masters") == (0, 0.0)
        times, seconds = total(second, "join-masters")
        assert times == 1
        assert seconds > AWAY
        assert abs(seconds - (ended - began)) <= 2
        await plane.until(plane.ready, 3600)

    supervised(tell, specs.spec(3, 1))


def test_a_deletion_interrupts_what_is_under_way_and_is_counted_itself():
    async def tell(plane):
        await plane.until(lambda: "join-nodes" in under_way(plane), 3600)
        process = plane.processes[-1]
        plane.delete()
        await plane.until(lambda: plane.object() is None, 3600)
        assert total(process, "join-nodes", "interrupted")[0] == 1
        assert total(process, "teardown")[0] == 1

    supervised(tell, specs.spec(1, 2, deletionPolicy="Reset"))
