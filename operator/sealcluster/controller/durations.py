"""How long phases take, from one report to the next. What is under way stands in the object's status, so that an operator that takes over
goes on counting from when the phase began and not from when it came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sealcluster.api import PhaseStart, SealClusterStatus
from sealcluster.api.summary import timestamp
from sealcluster.core.plan import PhasePlan
from sealcluster.engine import Report
from sealcluster.phases import PHASES, TEARDOWN

PULL = "pull-images"
KNOWN = frozenset(phase.name for phase in (*PHASES, *TEARDOWN))
BUCKETS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200)
"""Upper bounds in seconds: from a step on one machine to a creation that moves an image to thousands."""


class Outcome(StrEnum):
    """How a phase ended."""

    FINISHED = "finished"
    INCOMPLETE = "incomplete"
    """Nothing is left that could be done, but a machine that should have it is out of reach or left out."""
    STALLED = "stalled"
    """A person is needed; the phase begins anew when it goes on."""
    INTERRUPTED = "interrupted"
    """It was paused, its spec became unusable, or the deletion began."""


@dataclass(frozen=True, slots=True)
class Ended:
    """One phase of one cluster that ended."""

    phase: str
    outcome: Outcome
    seconds: float


class PhaseClock:
    """The phases of one cluster that are under way: from the first step that runs until nothing of them is left to do."""

    def __init__(self, told: SealClusterStatus) -> None:
        rows = (told.progress.under_way if told.progress is not None else None) or ()
        self._since = {row.phase: at for row in rows if row.phase in KNOWN and (at := _moment(row.since)) is not None}
        self._unsure: set[str] = set()
        self.resume()

    @property
    def under_way(self) -> tuple[PhaseStart, ...] | None:
        """For the status; None when there are none."""
        return tuple(PhaseStart(phase=phase, since=timestamp(at)) for phase, at in self._since.items()) or None

    def resume(self) -> None:
        """An engine starts: until it knows the images again, its plans do not say what is left of phases that it found begun."""
        self._unsure = set(self._since)

    def seen(self, report: Report, now: datetime) -> list[Ended]:
        """What has ended with this report; what has begun is remembered. Times have whole seconds, as in the status."""
        outcomes = {phase: outcome for phase in self._since if (outcome := self._outcome(phase, report)) is not None}
        ended = [self._end(phase, outcome, now) for phase, outcome in outcomes.items()]
        if not _stands(report):
            for action in report.running.values():
                if action.phase in report.plans and report.plans[action.phase].actions:
                    self._since.setdefault(action.phase, now.replace(microsecond=0))
        return ended

    def interrupt(self, now: datetime) -> list[Ended]:
        """Nothing is done any more until somebody changes something."""
        return [self._end(phase, Outcome.INTERRUPTED, now) for phase in list(self._since)]

    def _outcome(self, phase: str, report: Report) -> Outcome | None:
        plan: PhasePlan | None = report.plans.get(phase)
        if report.view.spec.paused or plan is None:
            return Outcome.INTERRUPTED
        if report.blocked:
            return Outcome.STALLED
        pulling = PULL in report.plans and report.plans[PULL].actions
        if plan.actions or (pulling and phase in self._unsure):
            return None
        return Outcome.FINISHED if plan.finished and plan.done >= plan.total else Outcome.INCOMPLETE

    def _end(self, phase: str, outcome: Outcome, now: datetime) -> Ended:
        self._unsure.discard(phase)
        since = self._since.pop(phase)
        return Ended(
            phase, outcome, max(0.0, (now.replace(microsecond=0) - since).total_seconds())
        )  # whose clock was ahead may have written it


@dataclass
class Histogram:
    """Durations of one kind: how many fell into each of BUCKETS and beyond, and their sum."""

    counts: list[int]
    seconds: float = 0.0


class PhaseDurations:
    """Of all clusters of this process, since it started."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Histogram] = {}

    def add(self, ended: Iterable[Ended]) -> None:
        """Count them."""
        for one in ended:
            found = self._found.setdefault((one.phase, one.outcome.value), Histogram([0] * (len(BUCKETS) + 1)))
            found.counts[sum(one.seconds > bound for bound in BUCKETS)] += 1
            found.seconds += one.seconds

    def found(self) -> Mapping[tuple[str, str], Histogram]:
        """By phase and outcome."""
        return self._found


def _stands(report: Report) -> bool:
    return report.view.spec.paused or report.blocked


def _moment(text: str) -> datetime | None:
    """None for what is no time: somebody else wrote it, and it is counted from now."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None
