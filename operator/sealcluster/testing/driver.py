"""Runs the real engine against the model: operators that start, die and are replaced, one world that goes on."""

from __future__ import annotations

import asyncio
import contextvars
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sealcluster.api import SealClusterSpec
from sealcluster.core.errors import Fenced, TransientError
from sealcluster.engine.desired import Desired
from sealcluster.engine.engine import Engine
from sealcluster.engine.pace import Pace
from sealcluster.engine.ports import Ports
from sealcluster.engine.report import Report
from sealcluster.testing.clock import OWNER, VirtualClock
from sealcluster.testing.effects import CountedHosts, CountedManagement, CountedWorkloads, Crash, Effects
from sealcluster.testing.fakemanagement import FakeManagement
from sealcluster.testing.model.certs import ModelCerts
from sealcluster.testing.model.host import ModelHosts
from sealcluster.testing.model.images import ModelImages
from sealcluster.testing.model.machine import Machine
from sealcluster.testing.model.workload import ModelWorkloads
from sealcluster.testing.model.world import ModelWorld

RESTART = 5.0
"""Seconds after which a door starts an engine again that ended with a transient error."""


@dataclass
class Operator:
    """One life of an operator: an engine with empty memory, its effects, and how it ended."""

    name: str
    effects: Effects
    clock: VirtualClock
    engine: Engine | None = None
    task: asyncio.Task[Any] | None = None
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    died: asyncio.Event = field(default_factory=asyncio.Event)
    reports: list[Report] = field(default_factory=list)
    finished: bool = False
    """True once everything was released and the records are purged."""

    @property
    def last(self) -> Report | None:
        """The newest report."""
        return self.reports[-1] if self.reports else None

    async def kill(self) -> None:
        """The process ends: nothing of it runs any more, whatever it was doing."""
        self.effects.dead = True
        mine = [task for task in self.tasks if task is not asyncio.current_task()]
        for task in mine:
            task.cancel()
        if self.task is not None and self.task is not asyncio.current_task():
            mine.append(self.task)
        await asyncio.gather(*mine, return_exceptions=True)


class Simulation:
    """One world with one cluster in it. Make it inside a running `VirtualLoop`."""

    def __init__(self, seed: int = 0, spec: SealClusterSpec | None = None, name: str = "demo") -> None:
        self.seed = seed
        self.name = name
        self.random = random.Random(seed)
        self.world = ModelWorld(seed)
        self.management = FakeManagement(name)
        self.images = ModelImages(self.world.timing)
        self.certs = ModelCerts(self.world.timing)
        self.workloads = ModelWorkloads(self.world)
        self.pace = Pace()
        """Of the process that its operators live in; others may live there, too."""
        self.desired: Desired | None = None
        self.operators: list[Operator] = []
        self.on_report: Callable[[Report], None] = lambda _report: None
        asyncio.get_running_loop().set_exception_handler(self._unhandled)
        if spec is not None:
            self.wish(spec)

    def _unhandled(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """The dead leave tasks behind that nobody asks; anything else that nobody handles is a bug."""
        error = context.get("exception")
        if isinstance(error, BaseExceptionGroup):
            error = error.split(Crash)[1]
        if error is not None and not isinstance(error, Crash):
            self.world.ledger.violate(loop.time(), f"nobody handled: {context.get('message')}: {error!r}")

    # --- the wish ----------------------------------------------------------------------------------------------
    def wish(self, spec: SealClusterSpec, **more: Any) -> None:
        """A new generation; machines that it names and that do not exist yet are put on the network."""
        generation = self.desired.generation + 1 if self.desired else 1
        self.desired = Desired(self.name, "default", generation, spec, **more)
        for row in spec.hosts:
            if self.world.network.at(str(row.address)) is None:
                self.world.add(Machine(str(row.name), str(row.address)))
        if self.desired.deleting:
            record = self.state_id()
            if record:
                self.world.deleting.add(record)
        for operator in self.operators:
            if operator.engine is not None and not operator.effects.dead:
                operator.engine.update(self.desired)

    def state_id(self) -> str:
        """The cluster's id on record; empty before the first operator came."""
        return self.management.history[-1].cluster_id if self.management.history else ""

    # --- operators ---------------------------------------------------------------------------------------------
    def start(self, crash_at: int = 0, side: str = "before", clock_offset: float = 0.0) -> Operator:
        """A new operator with empty memory takes over."""
        assert self.desired is not None
        number = len(self.operators) + 1
        effects = Effects(crash_at, side)
        operator = Operator(f"operator-{number}", effects, VirtualClock(clock_offset))
        effects.on_death = operator.died.set
        chance = random.Random(f"{self.seed}/{number}")
        ports = Ports(
            hosts=CountedHosts(ModelHosts(self.world, operator.clock), effects),
            images=self.images,
            certs=self.certs,
            management=CountedManagement(self.management, effects),
            workloads=CountedWorkloads(self.workloads, effects),
            clock=operator.clock,
            random=chance.random,
            token=lambda: f"{chance.getrandbits(24):06x}.{chance.getrandbits(64):016x}",
            new_id=lambda: f"{chance.getrandbits(64):016x}",
        )

        def listen(report: Report) -> None:
            effects.alive()
            operator.reports.append(report)
            self.on_report(report)

        context = contextvars.copy_context()
        context.run(OWNER.set, operator.tasks)
        self.world.note(f"{operator.name}: starts")
        self.operators.append(operator)
        operator.task = asyncio.get_running_loop().create_task(
            self._supervise(operator, ports, listen), name=operator.name, context=context
        )
        return operator

    async def _supervise(self, operator: Operator, ports: Ports, listen: Callable[[Report], None]) -> None:
        """What a door does around an engine: begin again after what may pass, stop when superseded."""
        while True:
            assert self.desired is not None
            operator.engine = Engine(self.desired, ports, holder=operator.name, listener=listen, pace=self.pace)
            try:
                await operator.engine.run(released)
                await ports.management.purge()
                operator.finished = True
                return
            except TransientError as error:
                self.world.note(f"{operator.name}: the engine ended: {error}")
                await asyncio.sleep(RESTART)

    async def until(self, holds: Callable[[Report], bool], limit: float, operator: Operator | None = None) -> Report:
        """Wait until a report of this operator (default: the newest) fulfils a condition.

        An operator that finished (everything released and purged) has fulfilled any. Raises `Crash` when the operator died, Fenced
        when it was superseded, AssertionError after `limit` virtual seconds.
        """
        mine = operator or self.operators[-1]
        assert mine.task is not None
        deadline = asyncio.get_running_loop().time() + limit
        seen = len(mine.reports)
        while True:
            for report in mine.reports[seen:]:
                if holds(report):
                    return report
            seen = len(mine.reports)
            if mine.died.is_set():
                await mine.kill()
                raise Crash(f"{mine.name} died at effect {mine.effects.count}")
            if mine.finished:
                return mine.reports[-1]
            if mine.task.done():
                mine.task.result()
                raise AssertionError(f"{mine.name}: the engine returned")
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"not reached within {limit:.0f} virtual seconds; {describe(mine.last)}")
            await asyncio.sleep(0.5)

    async def live(self, holds: Callable[[Report], bool], limit: float, crash_at: int = 0, side: str = "before") -> Report:
        """Let operators come and go until one of them reports what is wanted: the first dies at `crash_at`, the next lives."""
        self.start(crash_at, side)
        try:
            return await self.until(holds, limit)
        except (Crash, Fenced):
            self.start()
            return await self.until(holds, limit)

    async def end(self) -> None:
        """Stop operators and machines."""
        for operator in self.operators:
            await operator.kill()
        await self.world.end()
        self.images.close()


def released(report: Report) -> bool:
    """A deletion is complete: no machine is on record any more."""
    return report.view.deleting and not report.view.state.inventory


def describe(report: Report | None) -> str:
    """What a report says, in a few lines, for people who look for a fault."""
    if report is None:
        return "there was no report"
    lines = [f"ready={report.ready} settled={report.settled} unsettled={report.view.unsettled!r} step={report.step}"]
    lines += [f"running {a.key}" for a in report.running.values()]
    for name, plan in report.plans.items():
        lines += [f"plan {name}: {a.what} on {a.host or 'cluster'} needs {a.needs!r} why {a.why!r}" for a in plan.actions]
    lines += [f"problem {p}" for p in report.problems]
    return "\n  ".join(lines)
