"""When to look again at what nobody tells us about, and at what: often while a cluster is being made, rarely when nothing is to be done."""

from __future__ import annotations

from collections.abc import Mapping

from sealcluster.core.plan import PhasePlan
from sealcluster.core.view import ClusterView
from sealcluster.engine.looks import Looks
from sealcluster.engine.memory import Memory
from sealcluster.engine.pace import Pace
from sealcluster.engine.report import Report
from sealcluster.engine.resolving import Resolver
from sealcluster.engine.retry import OF_CREDENTIALS
from sealcluster.engine.steady import steady
from sealcluster.engine.work import Work

POLL = 1.0
"""Seconds between two looks at what we wait for while a cluster is being made."""
SETTLING = 180.0
"""Seconds after the last change during which a node that is not Ready is starting rather than broken."""
RESYNC = 50.0
"""Seconds between two looks at each machine, whatever else is done: drift and changed host keys are told within a minute.

`pace`: more rarely where there are very many."""
HEALTH = 15.0
"""Seconds between two looks at nodes and API servers of a finished cluster."""
MENDING = 15.0
"""Seconds between two looks at what only a person can mend: the Secret that a machine refuses, a machine that failed preflight."""


class Polling:
    """Knows when something last changed and when everything was last looked at. All times are steady ones."""

    def __init__(self, memory: Memory, work: Work, looks: Looks, resolver: Resolver, pace: Pace) -> None:
        self._memory = memory
        self._looks = looks
        self._work = work
        self._resolver = resolver
        self._pace = pace
        self._active_at = float("-inf")
        self._refreshed_at = float("-inf")

    def active(self, now: float) -> None:
        """Something was started or runs."""
        self._active_at = now

    def at_rest(self) -> None:
        """It has started: what is not Ready from now on is broken."""
        self._active_at = float("-inf")

    def settling(self, now: float) -> bool:
        """True so soon after the last change that what is not Ready is starting."""
        return now - self._active_at < SETTLING

    def patience(self, view: ClusterView, plans: Mapping[str, PhasePlan], report: Report) -> float:
        """Seconds until the next look, if nothing happens before."""
        if report.settled:
            return HEALTH * self._pace.slower()
        if view.spec.paused:
            return RESYNC
        watched = bool(self._work.occupied) or any(a.needs and a.watch for p in plans.values() for a in p.actions)
        waiting = not self._work.idle or watched or (view.initialized and not view.cluster_settled)
        if waiting and self.settling(view.steady):
            return POLL
        due = [f.retry_at for f in self._memory.failures.values()] + [
            s.retry_at for s in self._memory.sights.values() if s.error is not None
        ]
        later = min((d - view.steady for d in due), default=RESYNC)
        if self._mending(view, report):
            later = min(later, MENDING)
        return max(0.2, min(later, RESYNC / 4 if view.initialized else RESYNC))

    async def poll(self, view: ClusterView, plans: Mapping[str, PhasePlan], report: Report) -> None:
        """Look at what is due, and not at machines where something of ours runs: they are looked at when it ends."""
        now = steady()
        due = now - self._refreshed_at >= (RESYNC / 4 if view.initialized else RESYNC)
        if report.settled and now - self._refreshed_at < RESYNC * self._pace.slower():
            await self._memory.look_cluster()  # nothing else is going on that could wait for it
            return
        if report.settled or (due and self._work.idle and not self.settling(now)):
            await self.refresh()
            return
        if view.problems:
            await self._memory.look_records()
        sights = self._memory.sights
        watched = self._work.occupied | {h for p in plans.values() for a in p.actions if a.needs for h in a.watch}
        failing = {n for n, s in sights.items() if s.error is not None and s.retry_at <= now}
        mending = {n for n in self._mending(view, report) if now - sights[n].looked_at >= MENDING}
        stale = {n for n, s in sights.items() if now - s.looked_at >= RESYNC}
        self._looks.at(sorted((watched | failing | mending | stale) - self._work.hosts))
        if view.initialized:
            self._looks.at_cluster()

    async def refresh(self) -> None:
        """Look at everything; at machines where something of ours runs, after the others."""
        busy = self._work.hosts
        self._refreshed_at = steady()
        await self._memory.look_all(skip=busy)
        self._memory.stale |= busy - {""}
        self._resolver.forget_others()

    def _mending(self, view: ClusterView, report: Report) -> set[str]:
        """Machines that a person may be mending right now: looking at them again is cheap and tells at once."""
        found = {n for n, s in self._memory.sights.items() if s.error is not None and s.error.reason in OF_CREDENTIALS}
        for problem in report.problems:
            if problem.phase == "preflight":
                found |= {h.name for h in view.wanted if not h.claimed} if problem.cluster else {problem.host}
        return found & self._memory.sights.keys()
