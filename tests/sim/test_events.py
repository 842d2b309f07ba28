"""What `kubectl describe` tells of a cluster's life: few events, each about something else."""

import asyncio
from collections import Counter
from pathlib import Path

from sealcluster.testing import clock, specs
from sealcluster.testing.plane import NAMESPACE, Plane

CRD = Path(__file__).parents[2] / "crds" / "sealclusters.sealcluster.io.yaml"


def events(plane):
    found = [o for k, o in plane.kube.store.objects.items() if k[:2] == ("events", NAMESPACE)]
    return sorted(found, key=lambda e: e["eventTime"])


def story(tell):
    async def main():
        plane = Plane(1, CRD)
        try:
            plane.wish(specs.spec(1, 2))
            plane.start()
            await tell(plane)
            assert plane.problems() == []
        finally:
            await plane.end()

    clock.run(main(), limit=50_000)


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

    story(tell)


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

    story(tell)
