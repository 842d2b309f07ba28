"""A random world from a seed: a cluster of random size, a random schedule of faults while it is made, and the verdict."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

from sealcluster.core.errors import Fenced
from sealcluster.engine.polling import RESYNC
from sealcluster.testing import clock, specs, truth
from sealcluster.testing.driver import Simulation, describe
from sealcluster.testing.effects import Crash
from sealcluster.testing.faults import inject, schedule
from sealcluster.testing.scenarios import PATIENCE, Outcome, finish, nothing_to_do, ready

CHAOS = 400.0
"""Virtual seconds during which faults begin; making a cluster takes about 150 without them."""


def live(seed: int, kinds: tuple[str, ...] | None = None, faults: int | None = None) -> tuple[Outcome, Counter[str]]:
    """Live through the world of this seed. An empty `Outcome.problems` is a good one."""
    chance = random.Random(f"world/{seed}")
    masters = chance.choice((1, 1, 3, 3, 5))
    workers = chance.randrange(4)
    number = chance.randrange(1, 9)
    spec = specs.spec(masters, workers)
    plan = schedule(seed, CHAOS, number if faults is None else faults, kinds)
    outcome = Outcome(seed)
    counts: Counter[str] = Counter()

    async def story() -> None:
        sim = Simulation(seed, spec)
        sim.on_report = lambda report: truth.check(sim, report)
        sim.world.note(f"{masters} masters, {workers} workers; " + "; ".join(map(str, plan)))
        try:
            sim.start()
            counts.update(await inject(sim, plan))
            await settle(sim)
            outcome.seconds = sim.world.now() - clock.EPOCH
            await nothing_to_do(sim, outcome)
        except AssertionError as error:
            outcome.problems.append(str(error))
        finish(sim, outcome)
        await sim.end()

    clock.run(story(), limit=10 * PATIENCE)
    return outcome, counts


async def settle(sim: Simulation) -> None:
    """The faults are over: the newest operator that lives must bring the cluster to Ready.

    What says Ready now may not have looked at every machine since the last fault: machines are looked at within `RESYNC` seconds.
    """
    sim.management.conflicts = 0
    sim.images.failing = 0
    await asyncio.sleep(RESYNC + 10)
    while True:
        alive = [o for o in sim.operators if not o.effects.dead and o.task is not None and not o.task.done()]
        if not alive:
            sim.start()
            alive = sim.operators[-1:]
        newest = alive[-1]
        if newest.last is not None and newest.last.ready:
            newest.reports.clear()
        try:
            await sim.until(ready, PATIENCE, newest)
        except (Crash, Fenced):
            continue
        except Exception as error:
            if isinstance(error, AssertionError):
                raise
            raise AssertionError(f"{newest.name} ended with {error!r}; {describe(newest.last)}") from error
        return
