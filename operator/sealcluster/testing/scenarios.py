"""Whole stories in one world: make a cluster, with an operator that dies on the way, and judge what is left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from sealcluster.api import SealClusterSpec
from sealcluster.engine.report import Report
from sealcluster.testing import clock, truth
from sealcluster.testing.driver import Simulation

PATIENCE = 7200.0
"""Virtual seconds within which a cluster must be ready, whatever one crash did."""
QUIET = 200.0
"""Virtual seconds during which a new operator must not change a finished cluster."""


@dataclass
class Outcome:
    """How one story ended."""

    seed: int
    seconds: float = 0.0
    """Virtual seconds until the cluster was ready."""
    effects: list[str] = field(default_factory=list)
    """What the first operator changed, in order."""
    problems: list[str] = field(default_factory=list)
    """Everything that is wrong; empty: a good run."""
    state: dict[str, Any] = field(default_factory=dict)
    trace: list[str] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=dict)
    repeated: list[str] = field(default_factory=list)
    """Jobs that succeeded more than once with the same inputs: work for nothing (/etc/hosts may go back and forth)."""

    def __str__(self) -> str:
        return f"seed {self.seed}: " + ("; ".join(self.problems) or f"ready after {self.seconds:.0f} s, {len(self.effects)} effects")


def ready(report: Report) -> bool:
    """The cluster is what was wished for, and says so."""
    return report.ready


def create(spec: SealClusterSpec, seed: int, crash_at: int = 0, side: str = "before") -> Outcome:
    """Make a cluster; the first operator dies at its effect number `crash_at`; afterwards a new one must find nothing to do."""
    return _story(seed, spec, lambda sim: sim.live(ready, PATIENCE, crash_at, side))


def edit(before: SealClusterSpec, after: SealClusterSpec, seed: int, crash_at: int = 0, side: str = "before") -> Outcome:
    """Make a cluster, then change the wish; the operator that changes it dies at its effect number `crash_at`."""

    async def story(sim: Simulation) -> None:
        await sim.live(ready, PATIENCE)
        await sim.operators[-1].kill()
        sim.wish(after)
        await sim.live(lambda r: r.ready and not r.view.leaving, PATIENCE, crash_at, side)

    return _story(seed, before, story, judged=1)


def delete(spec: SealClusterSpec, seed: int, crash_at: int = 0, side: str = "before") -> Outcome:
    """Make a cluster, then delete it with Reset; the operator that deletes it dies at its effect number `crash_at`."""

    async def story(sim: Simulation) -> None:
        await sim.live(ready, PATIENCE)
        await sim.operators[-1].kill()
        sim.wish(spec, deleting=True)
        await sim.live(lambda _report: False, PATIENCE, crash_at, side)

    return _story(seed, spec, story, judged=1)


def _story(seed: int, spec: SealClusterSpec, tell: Callable[[Simulation], Awaitable[object]], judged: int = 0) -> Outcome:
    """Run a story in a world of its own. `judged`: whose effects the outcome lists (operators count from 0)."""
    outcome = Outcome(seed)

    async def main() -> None:
        sim = Simulation(seed, spec)
        sim.on_report = lambda report: truth.check(sim, report)
        try:
            await tell(sim)
            outcome.seconds = sim.world.now() - clock.EPOCH
            assert sim.desired is not None
            if not sim.desired.deleting:
                await nothing_to_do(sim, outcome)
        except AssertionError as error:
            outcome.problems.append(str(error))
        finish(sim, outcome, judged)
        await sim.end()

    clock.run(main(), limit=10 * PATIENCE)
    return outcome


async def nothing_to_do(sim: Simulation, outcome: Outcome) -> None:
    """Replace the operator: the new one may raise the fencing number and nothing else."""
    await sim.operators[-1].kill()
    fresh = sim.start()
    await sim.until(ready, PATIENCE)
    await asyncio.sleep(QUIET)
    if fresh.effects.names[1:]:
        outcome.problems.append(f"a new operator changed a finished cluster: {', '.join(fresh.effects.names[1:])}")


def finish(sim: Simulation, outcome: Outcome, judged: int = 0) -> None:
    """Collect what the judge says."""
    outcome.effects = list(sim.operators[judged].effects.names) if len(sim.operators) > judged else []
    outcome.problems += truth.verdict(sim)
    outcome.state = truth.end_state(sim)
    outcome.trace = list(sim.world.ledger.trace)
    twice = [(key, n) for key, n in sim.world.ledger.successes.items() if n > 1 and key[1] != "hosts"]
    outcome.repeated = [f"{machine}: {step} succeeded {n} times" for (machine, step, _), n in twice]
    outcome.calls = dict(sim.world.ledger.calls)


def differences(wanted: object, found: object, path: str = "") -> list[str]:
    """Where two end states differ."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        lines = []
        for key in sorted({*wanted, *found}, key=str):
            lines += differences(wanted.get(key), found.get(key), f"{path}.{key}" if path else str(key))
        return lines
    return [] if wanted == found else [f"{path}: {found!r} instead of {wanted!r}"]
