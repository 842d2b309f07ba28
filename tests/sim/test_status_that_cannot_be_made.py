"""A status that cannot be made, for whatever reason, holds up nothing on machines, and is told."""

import asyncio
from pathlib import Path

from sealcluster.controller import voice
from sealcluster.testing import clock, specs
from sealcluster.testing.contract import condition
from sealcluster.testing.plane import Plane

CRD = Path(__file__).parents[2] / "crds" / "sealclusters.sealcluster.io.yaml"


def test_the_engine_goes_on_and_the_trouble_is_told_as_our_fault(monkeypatch, caplog):
    make, broken = voice.make_status, [True]

    def make_status(*args, **more):
        if broken:
            raise ValueError("it does not fit")
        return make(*args, **more)

    monkeypatch.setattr(voice, "make_status", make_status)

    async def main():
        plane = Plane(1, CRD)
        try:
            plane.wish(specs.spec(1))
            plane.start()
            await plane.until(lambda: (record := plane.record()) is not None and record.init.initialized, 3600)
            found = {c["type"]: c for c in plane.object()["status"]["conditions"]}
            assert found["Reconciling"]["status"] == "True"
            assert found["Available"]["reason"] == "InternalError"
            assert found["Available"]["message"] == "making the status: ValueError: it does not fit"
            await asyncio.sleep(600)
            broken.clear()
            plane.annotate(hint="anything")
            await plane.until(plane.ready, 600)
            assert condition(plane.object(), "Available")[0] == "True"
            assert [r.message for r in caplog.records].count("making the status: ValueError: it does not fit") == 1
            assert plane.processes[-1].supervisor.healthy
            assert plane.problems() == []
        finally:
            await plane.end()

    clock.run(main(), limit=50_000)
