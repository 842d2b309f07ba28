"""What waits for something that does not come true: after a while a person is told. It is looked at on, and goes on by itself when it comes true."""

from __future__ import annotations

from collections.abc import Mapping

from sealcluster.api.conditions import Reason
from sealcluster.core.plan import Action, PhasePlan, Problem
from sealcluster.core.view import ClusterView

LONGEST_WAIT = 600.0
"""Seconds without any progress after which what still waits is a standstill."""

REASONS: Mapping[str, Reason] = {
    "distribute-registry": Reason.REGISTRY_FAILED,
    "init-control-plane": Reason.CONTROL_PLANE_UNHEALTHY,
    "join-masters": Reason.CONTROL_PLANE_UNHEALTHY,
    "load-balancer": Reason.ENDPOINT_UNREACHABLE,
}
"""What it means, by phase, that something does not happen by itself on a machine; all other waits are WaitTimedOut."""


class Waits:
    """Knows since when nothing has moved. All times are steady ones."""

    def __init__(self) -> None:
        self._moved_at = float("-inf")
        self._marks: frozenset[tuple[str, str]] = frozenset()

    def overdue(
        self, view: ClusterView, plans: Mapping[str, PhasePlan], running: Mapping[str, Action], problems: tuple[Problem, ...]
    ) -> tuple[Problem, ...]:
        """What has waited too long: of the earliest phase that waits for something that happens by itself (the others wait for that).

        Nothing is overdue while something moves: a job runs for the first time, or what is left to do, or what it waits for, has changed.
        A step that waits for what has a problem of its own is not told a second time.
        """
        marks = frozenset((a.key, a.needs) for plan in plans.values() for a in plan.actions)
        if marks != self._marks or self._moves(view, running):
            self._marks, self._moved_at = marks, view.steady
        if view.steady - self._moved_at < LONGEST_WAIT:
            return ()
        waiting = [a for plan in plans.values() for a in plan.actions if a.needs and not _excused(a, problems)]
        first = [a for a in waiting if a.watch] or waiting
        return tuple(_problem(a) for a in first if a.phase == first[0].phase)

    @staticmethod
    def _moves(view: ClusterView, running: Mapping[str, Action]) -> bool:
        if view.spec.paused or any(a.key not in view.failures for a in running.values()):
            return True
        return any(job.state == "running" for host in view.hosts.values() if host.facts for job in host.facts.jobs.values())


def _excused(action: Action, problems: tuple[Problem, ...]) -> bool:
    """A step that waits for other steps waits for whatever is in their way; one that waits for a machine, for that machine."""
    if not action.watch:
        return bool(problems)
    involved = {action.host, *action.watch, *action.needs.split()}
    return any(p.cluster or p.host in involved for p in problems)


def _problem(action: Action) -> Problem:
    where = f" on {action.host}" if action.host else ""
    return Problem(
        str(REASONS.get(action.phase, Reason.WAIT_TIMED_OUT) if action.watch else Reason.WAIT_TIMED_OUT),
        f"{action.what}{where}: still waiting for {action.needs}, for more than {LONGEST_WAIT / 60:.0f} minutes",
        host=action.host,
        phase=action.phase,
        cluster=not action.host,
    )
