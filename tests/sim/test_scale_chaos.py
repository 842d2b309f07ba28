"""Edits and deletions on bad days: machines reboot, links break, operators die, and the end is the same.

SEALCLUSTER_CHAOS=first:count runs other worlds than the few that are always run.
"""

import os
import random

import pytest

from sealcluster.testing import clock, truth
from sealcluster.testing.driver import Simulation
from sealcluster.testing.faults import KINDS, inject, schedule
from sealcluster.testing.randomworld import settle
from sim.lives import cluster

FIRST, COUNT = (int(n) for n in os.environ.get("SEALCLUSTER_CHAOS", "1:4").split(":"))
SEEDS = range(FIRST, FIRST + COUNT)
WINDOW = 300.0
BEFORE = ("m1", "m2", "m3", "w1", "w2")
AFTER = [
    ("m1", "w1"),
    ("m2", "m3", "m4", "w1", "w2"),
    ("m1", "m2", "m3", "m4", "m5", "w2", "w3"),
    ("m4", "m5", "m6", "w1"),
]


def live(seed, tell):
    problems = []
    worlds = []

    async def main():
        sim = Simulation(seed, cluster(*BEFORE))
        worlds.append(sim.world)
        sim.on_report = lambda report: truth.check(sim, report)
        sim.start()
        await sim.until(lambda r: r.ready, 7200)
        try:
            await tell(sim)
        except AssertionError as error:
            problems.append(str(error))
        problems.extend(truth.verdict(sim))
        await sim.end()

    clock.run(main(), limit=200_000)
    if problems:
        print("\n".join(worlds[0].ledger.trace[-120:]))  # noqa: T201 - pytest shows it when a test fails
    assert problems == [], f"seed {seed}"


@pytest.mark.thorough
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", SEEDS)
def test_an_edit_on_a_bad_day(seed):
    chance = random.Random(f"edit/{seed}")
    after = chance.choice(AFTER)

    async def tell(sim):
        sim.world.note(f"edit to {after}")
        sim.wish(cluster(*after))
        await inject(sim, schedule(seed, WINDOW, chance.randrange(2, 8), tuple(KINDS)))
        await settle(sim)
        kube = sim.world.kube_of(sim.state_id())
        sim.world.planes.sync_nodes(kube, sim.world.now())
        assert sorted(kube.nodes) == sorted(sim.management.history[-1].inventory) == sorted(after)
        assert sorted(m.name for m in kube.etcd.voters()) == sorted(n for n in after if n.startswith("m"))
        gone = [m for m in sim.world.machines.values() if m.name not in after]
        assert [(m.name, m.leftovers(), m.owner) for m in gone if m.leftovers() or m.owner] == []

    live(seed, tell)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_deletion_on_a_bad_day(seed):
    chance = random.Random(f"delete/{seed}")

    async def tell(sim):
        sim.wish(cluster(*BEFORE), deleting=True)
        await inject(sim, schedule(seed, 120.0, chance.randrange(1, 6), tuple(KINDS)))
        sim.management.conflicts = 0
        for _ in range(3600):
            newest = sim.operators[-1]
            if any(o.finished for o in sim.operators):
                break
            if newest.effects.dead or newest.task.done():
                sim.start()
            await clock.asyncio.sleep(2)
        assert any(o.finished for o in sim.operators), "not finished"
        assert [(m.name, m.leftovers(), m.owner) for m in sim.world.machines.values() if m.leftovers() or m.owner] == []

    live(seed, tell)
