"""What happened, as events tell it: each thing when it begins, milestones when they are reached, nothing again and again."""

from __future__ import annotations

from dataclasses import dataclass

from sealcluster.api.conditions import Reason
from sealcluster.core.plan import PhasePlan
from sealcluster.engine import Report
from sealcluster.phases import PHASES
from sealcluster.phases.units import drift

QUIET = 600.0
"""Seconds within which what went away and is back is no news: a machine that comes and goes is told once."""

MILESTONES = ("pull-images", "distribute-registry", "init-control-plane", "join-masters", "join-nodes", "leave", "guests")
"""Phases whose end is worth an event; the others are too small, or never wait."""
MILESTONE = "PhaseFinished"
_TITLES = {phase.name: phase.title for phase in PHASES}

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """One event."""

    reason: str
    text: str
    warning: bool


class Story:
    """Compares each report with what was told before."""

    def __init__(self) -> None:
        self._seen: dict[Key, float] = {}
        """When each thing was there last; steady seconds."""
        self._unfinished: frozenset[str] = frozenset()
        self._ready = False

    def forget(self) -> None:
        """Another wish: what still is in its way is news."""
        self._seen.clear()
        self._ready = False

    def new(self, report: Report) -> list[Told]:
        """Events for what this report says and none did before."""
        now = report.view.steady
        found = self._things(report)
        fresh = [told for key, told in found.items() if now - self._seen.get(key, float("-inf")) > QUIET]
        self._seen = {key: at for key, at in self._seen.items() if now - at <= QUIET} | dict.fromkeys(found, now)
        return [*self._milestones(report), *fresh]

    @staticmethod
    def _things(report: Report) -> dict[Key, Told]:
        """By what they are about: that their words change (a count, a cause in other words) is no news."""
        found: dict[Key, Told] = {}
        for p in report.problems:
            text = f"{p.message}{'; ' + p.hint if p.hint else ''}"
            found.setdefault((p.reason, p.phase, p.host or p.message), Told(p.reason, text, warning=True))
        for host, what in drift(report.view):
            reason = Reason.DRIFT_FOUND.value
            found[reason, host, what] = Told(reason, f"{host}: {what}; it is being put right", warning=True)
        return found

    def _milestones(self, report: Report) -> list[Told]:
        plans = {name: report.plans[name] for name in MILESTONES if name in report.plans}
        ended = [name for name in plans if name in self._unfinished and _ended(plans[name])]
        self._unfinished = frozenset(name for name, plan in plans.items() if not _ended(plan))
        found = [Told(MILESTONE, f"{_TITLES[name]}: done{_count(plans[name].done, plans[name].total)}", warning=False) for name in ended]
        if report.ready and not self._ready:
            nodes = len(report.view.wanted)
            text = f"{'1 node is' if nodes == 1 else f'{nodes} nodes are'} Ready, Kubernetes {report.view.version}"
            found.append(Told(Reason.CLUSTER_READY.value, text, warning=False))
        self._ready = report.ready
        return found


def _ended(plan: PhasePlan) -> bool:
    """A phase whose turn has not come has nothing to do either; its count tells."""
    return plan.finished and plan.done >= plan.total


def _count(done: int, total: int) -> str:
    return f" ({done} of {total})" if total else ""
