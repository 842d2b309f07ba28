"""What `kubectl describe` tells of a cluster's life: few events, each about something else."""

import asyncio
from collections import Counter

import pytest

from sealcluster.testing import specs
from sealcluster.testing.plane import NAMESPACE
from sim.planes import supervised


def events(plane):
    found = [o for k, o in plane.kube.store.objects.items() if k[:2] == ("events", NAMESPACE)]
    return sorted(found, key=lambda e: e["eventTime"])


def test_a_creation_is_told_in_milestones():
    async def tell(plane):
        await plane.until(plane.ready, 3600)
        await asyncio.sleep(600)
        found = events(plane)
        assert [(e["type"], e["reason"]) for e in found][-1] == ("Normal", "ClusterReady")
        notes = [e["note"] for e in found]
        assert [n for n in notes if n.startswith(("initialising", "joining workers", "running the images"))] == [
            "initialising the control plane: done (1 of 1)",
            "joining workers: done (2 of 2)",
            "running the images' commands: done (1 of 1)",
        ]
        assert len(found) < 12
        assert max(Counter((e["reason"], e["note"]) for e in found).values()) == 1
        assert {e["regarding"]["uid"] for e in found} == {plane.object()["metadata"]["uid"]}

    supervised(tell, specs.spec(1, 2))


@pytest.mark.thorough
def test_a_machine_that_comes_and_goes_for_hours_is_told_seldom():
    async def tell(plane):
        await plane.until(plane.ready, 3600)
        before = len(events(plane))
        for _ in range(30):
            plane.world.network.cut.add("w1")
            await asyncio.sleep(120)
            plane.world.network.cut.discard("w1")
            await asyncio.sleep(120)
        told = Counter(e["reason"] for e in events(plane)[before:])
        assert told["HostUnreachable"] <= 4
        assert sum(told.values()) <= 12

    supervised(tell, specs.spec(1, 2))
