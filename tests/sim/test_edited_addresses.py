"""An address that is edited while the engine looks: what was seen at the old place says nothing about the new one."""

import asyncio
from dataclasses import replace

import pytest

from sealcluster.engine.memory import Memory
from sealcluster.testing import specs
from sim.lives import cluster, live, rows

WRONG = specs.spec(hosts=[{**row, "address": "10.9.9.9"} if row["name"] == "w1" else row for row in rows("m1", "w1", "w2")])


@pytest.mark.parametrize("after", [0.0, 0.5])
def test_a_wrong_address_loses_no_machine(monkeypatch, after):
    look_all = Memory.look_all
    typed = []

    async def story(life):
        await life.settled()

        async def slow(self, *given, **more):
            looking = asyncio.ensure_future(look_all(self, *given, **more))
            await asyncio.sleep(after)
            if not typed:
                typed.append("w1")
                life.sim.desired = replace(life.sim.desired, generation=life.sim.desired.generation + 1, spec=WRONG)
                life.sim.operators[-1].engine.update(life.sim.desired)
            await looking

        monkeypatch.setattr(Memory, "look_all", slow)
        await life.until(lambda r: bool(typed) and r.view.hosts["w1"].error is not None, 300)
        assert life.sim.management.history[-1].inventory["w1"].address == life.machine("w1").address
        life.sim.wish(cluster("m1", "w2"))
        await life.settled(3600)
        assert life.clean("w1") == []

    live(cluster("m1", "w1", "w2"), story)
