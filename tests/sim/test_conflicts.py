"""Somebody else writes what is ours: once is nothing, for ever is told and not hammered, and a newer operator always wins."""

import asyncio
import logging
from dataclasses import replace

import pytest

from sealcluster.core.errors import Fenced
from sealcluster.core.ports import PKI
from sealcluster.testing import clock, scenarios, specs
from sealcluster.testing.driver import Simulation

SOMEBODYS = PKI(("a", "b"), ("a", "b"), ("a", "b"), ("a", "b"), "word")


def live(story, **how):
    async def main():
        sim = Simulation(1, specs.spec(masters=1))
        try:
            await story(sim)
        finally:
            await sim.end()

    clock.run(main(), limit=40_000, **how)


class Hidden:
    """A management whose authorities cannot be created although there are none to be read."""

    def __init__(self, sim, tries=1000):
        self.tries, self.most = 0, tries
        self.sim = sim
        self.load, self.create = sim.management.load_pki, sim.management.create_pki
        sim.management.load_pki, sim.management.create_pki = self.nothing, self.count
        sim.management.pki = SOMEBODYS

    async def nothing(self):
        await self.load()

    async def count(self, pki):
        self.tries += 1
        if self.tries > self.most:
            self.end()
        await self.create(pki)

    def end(self):
        self.sim.management.load_pki, self.sim.management.pki = self.load, None


@pytest.mark.thorough
def test_a_conflict_that_lasts_is_waited_for_longer_and_longer_and_then_told():
    async def story(sim):
        hidden = Hidden(sim)
        began = sim.world.now()
        sim.start()
        report = await sim.until(lambda r: r.blocked, 600)
        assert report.account.blocked.reason == "StateConflict"
        assert "it exists" in report.account.blocked.message
        assert hidden.tries < 12
        assert sim.world.now() - began > 30
        tries = hidden.tries
        await asyncio.sleep(1200)
        assert hidden.tries - tries < 6, "every five minutes"
        hidden.end()
        await sim.until(scenarios.ready, 3600)

    live(story)


def test_a_conflict_that_passes_is_no_failure(caplog):
    async def story(sim):
        hidden = Hidden(sim, tries=2)
        sim.start()
        await sim.until(scenarios.ready, 3600)
        assert hidden.tries == 3

    caplog.set_level(logging.WARNING, "sealcluster")
    live(story)
    assert [r.getMessage() for r in caplog.records] == []


def test_a_take_over_that_is_noticed_while_looking_ends_the_engine():
    async def story(sim):
        operator = sim.start()
        await sim.until(scenarios.ready, 3600)
        record = sim.management.history[-1]
        await sim.management.save_state(replace(record, fence=record.fence + 1, holder="another"), str(sim.management.version))
        sim.world.machine("m1").fence = record.fence + 1
        with pytest.raises(Fenced, match="another"):
            await asyncio.wait_for(operator.task, 900)

    live(story)
