"""Observe, decide, apply, report: one cluster, for as long as it is wanted.

Every phase plans on every turn; an action starts as soon as what it needs was observed. After an action only the hosts
that it touched are looked at again. Nothing here is remembered that cannot be observed again after a crash.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from sealcluster.api import SealClusterSpec
from sealcluster.core.errors import SealError
from sealcluster.core.plan import Action, PhasePlan
from sealcluster.core.view import ClusterView
from sealcluster.engine.aftermath import look_after
from sealcluster.engine.desired import Desired
from sealcluster.engine.evidence import EvidenceKeeper
from sealcluster.engine.gate import Gate
from sealcluster.engine.limits import Budgets, Limits
from sealcluster.engine.looks import Looks
from sealcluster.engine.memory import Memory
from sealcluster.engine.outcomes import Outcomes
from sealcluster.engine.pace import Pace
from sealcluster.engine.planning import Planner
from sealcluster.engine.polling import Polling
from sealcluster.engine.ports import Ports
from sealcluster.engine.record import Record
from sealcluster.engine.references import References
from sealcluster.engine.report import Report, all_problems, make_report
from sealcluster.engine.resolving import Resolver
from sealcluster.engine.steady import steady
from sealcluster.engine.waits import Waits
from sealcluster.engine.work import Work
from sealcluster.phases import PHASES, Phase

CHEAP, PAUSE = 0.1, 2.0
"""Seconds: a turn that took longer than the first (thousands of machines) is followed by a pause as long as itself, at most the second,
in which other ends gather: they share the next turn."""

Listener = Callable[[Report], None]


class Engine:
    """Drives one cluster towards what is desired."""

    def __init__(
        self,
        desired: Desired,
        ports: Ports,
        *,
        holder: str,
        listener: Listener,
        limits: Limits | None = None,
        pace: Pace | None = None,
        phases: Sequence[Phase] = PHASES,
    ) -> None:
        """`pace`: that of all engines of the process; None: this one is alone."""
        self._ports = ports
        self._record = Record(ports.management, holder)
        self._memory = Memory(desired, ports, Budgets(limits or Limits()), self._record)
        self._listener = listener
        self._planner = Planner(phases)
        self._references = References(ports.management, ports.clock)
        self._evidence = EvidenceKeeper(ports.management, ports.clock)
        self._outcomes = Outcomes(self._memory, self._evidence)
        self._resolver = Resolver(self._memory, self._references)
        gate = Gate(self._memory, self._record, ports.management, ports.images)
        self._work = Work(self._memory, gate, self._planner, self._outcomes, self._resolver.resolve)
        self._pace = pace or Pace()
        self._looks = Looks(self._memory)
        self._polling = Polling(self._memory, self._work, self._looks, self._resolver, self._pace)
        self._waits = Waits()
        self._changed = asyncio.Event()
        self._until: Callable[[Report], bool] = lambda _report: False

    # --- what callers do ---------------------------------------------------------------------------------------
    def update(self, desired: Desired) -> None:
        """A new generation or annotation: takes effect at the next turn; jobs that run on hosts go on."""
        old = self._memory.desired
        if old == desired:
            return  # our own status came back as an event
        self._memory.desired = desired
        if (old.generation, old.retry, old.deleting) != (desired.generation, desired.retry, desired.deleting):
            self._memory.forgive()
        self._changed.set()

    def wake(self) -> None:
        """Look again now."""
        self._memory.forgive()
        self._changed.set()

    async def plan(self) -> tuple[ClusterView, dict[str, PhasePlan]]:
        """Look at everything and say what would be done; changes nothing, not even the fencing number."""
        await self._record.peek()
        await self._memory.look_all()
        for arch in sorted({f.arch for f in self._memory.facts.values()}):
            try:
                await self._resolver.resolve(arch)
            except SealError as error:  # what a look cannot pull is a problem of the plan, not its end
                self._outcomes.failed(Action("pull-images", f"pull images for {arch}", args={"arch": arch}), error)
        await self._memory.look_all()
        view = self._memory.view(frozenset())
        return view, self._planner.plans(view)

    async def run(self, until: Callable[[Report], bool] | None = None) -> Report:
        """Work until `until` says so (the CLI), or for ever (the operator). Raises Fenced when another operator took over."""
        beside = [
            asyncio.create_task(work, name=f"{what} of {self._memory.desired.name}")
            for what, work in (("references", self._references.watch(self._failing, self.wake)), ("evidence", self._evidence.keep()))
        ]
        try:
            await self._record.take_over(self._ports.new_id)
            await self._memory.look_all()
            self._resolver.forget_others()
            if until is not None:
                self._until = until
            while True:
                report = await self._turn()
                for task in beside:
                    if task.done():
                        task.result()
                if self._work.fenced is not None:
                    raise self._work.fenced
                if self._until(report):
                    return report
        finally:
            self._pace.ended(self)
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await self._work.stop()
            await self._looks.stop()
            if self._work.fenced is None:
                await self._evidence.last_words()

    def _failing(self) -> SealClusterSpec | None:
        return self._memory.desired.spec if self._memory.failures or self._memory.problems else None

    # --- one turn ----------------------------------------------------------------------------------------------
    async def _turn(self) -> Report:
        while self._changed.is_set():  # what was seen before the wish was changed says nothing about the new one
            self._changed.clear()
            await self._polling.refresh()
        began = steady()
        view = self._memory.view(self._work.names)
        self._pace.looks_after(self, len(view.hosts))
        plans = self._planner.plans(view)
        self._work.abandon(view)
        if self._work.start(view, plans) or self._work.running:
            self._polling.active(view.steady)
        report = self._report(view, plans)
        if report.settled:
            self._polling.at_rest()
        self._listener(report)
        if self._until(report):
            return report
        await self._observe(view, plans, report, steady() - began)
        return report

    def _report(self, view: ClusterView, plans: dict[str, PhasePlan]) -> Report:
        titles = [self._planner.phase(name).title for name in plans]
        running = self._work.running
        overdue = self._waits.overdue(view, plans, running, all_problems(view, plans))
        return make_report(view, plans, running, self._work.progress, titles, settling=self._polling.settling(view.steady), overdue=overdue)

    async def _observe(self, view: ClusterView, plans: dict[str, PhasePlan], report: Report, cost: float) -> None:
        """Wait until an action or a look ends, the desire changes, or it is time to look at what we wait for; and begin to look at that."""
        patience = self._polling.patience(view, plans, report)
        happened = await self._work.until(self._changed, self._looks.tasks, patience)
        if happened and cost > CHEAP:
            await asyncio.sleep(min(cost, PAUSE))
        if not happened and not self._changed.is_set():
            await self._polling.poll(view, plans, report)
        self._looks.take_ended()
        await look_after(self._memory, self._work.take_ended())
