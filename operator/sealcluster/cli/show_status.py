"""A SealCluster's status for people: whether it is well, its hosts as a tree, what is not as expected, the last failure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sealcluster.api import CATALOGUE, ConditionStatus, SealClusterStatus
from sealcluster.api.conditions import Reason
from sealcluster.api.hosts import Host
from sealcluster.api.status import Condition, Failure, Progress
from sealcluster.cli.columns import columns
from sealcluster.cli.failures import spoken
from sealcluster.cli.show_tree import tree

UNDER_WAY = (Reason.INITIALIZING, Reason.PROVISIONING, Reason.UPDATING)
"""Reasons of conditions that are not as they will be, though nothing is wrong."""
LONG = 40
"""Characters of a message that is not repeated for every condition that has it."""
BAR = 20
"""Characters of the bar."""


@dataclass(frozen=True)
class Shown:
    """What is shown; the status may come from a look or from a management plane."""

    name: str
    status: SealClusterStatus
    hosts: Sequence[Host] = ()
    """spec.hosts, for what the status of a large cluster leaves out."""
    busy: str = ""
    """Who works on it now."""
    note: str = ""
    """What else a person should know."""


def lines(shown: Shown, most: int = 0) -> list[str]:
    """The text, line by line. `most`: hosts that are shown, those that need attention first (0: all)."""
    status = shown.status
    ready = next((c for c in status.conditions if c.type == "Ready"), None)
    head = [shown.name, status.phase or "Unknown"]
    if status.version:
        head.append(f"Kubernetes {status.version}")
    if status.endpoint:
        head.append(status.endpoint)
    if status.nodes:
        head.append(f"masters {status.nodes.masters}, workers {status.nodes.workers}")
    found = ["   ".join(head)]
    found += tree(status, shown.hosts, most)
    found.append("")
    said = told = ready.message if ready is not None else ""
    if status.progress is not None and said.startswith(status.progress.message):
        found.append(f"{status.progress.message}{_bar(status.progress)}")
        said = said.removeprefix(status.progress.message).lstrip(": ")
    elif status.progress is not None:
        found.append(f"progress: {status.progress.message}{_bar(status.progress)}")
    if said:
        found.append(said)
    if shown.note:
        found.append(shown.note)
    if shown.busy:
        found.append(f"{shown.busy} is working on it")
    if status.certificates is not None:
        found.append(f"certificates: the first expires on {status.certificates.soonest_expiry[:10]} ({status.certificates.host})")
    found += ["", "conditions", *columns([_condition(c, told) for c in status.conditions], "  ")]
    if status.last_failure is not None:
        found += ["", "last failure", *_failure(status.last_failure)]
    return found


def _bar(progress: Progress) -> str:
    if not progress.total:
        return ""
    full = BAR * min(progress.done, progress.total) // progress.total
    return f"  [{'#' * full}{'-' * (BAR - full)}]"


def _condition(condition: Condition, told: str) -> list[str]:
    message = "(as above)" if condition.message == told and len(told) > LONG else condition.message
    return [_mark(condition), condition.type, condition.status.value, condition.reason, message]


def _mark(condition: Condition) -> str:
    """✓ as it should be, ! wrong, · neither (not seen yet, or under way)."""
    if condition.status is ConditionStatus.UNKNOWN:
        return "·"
    good = condition.status is (
        ConditionStatus.FALSE if condition.type in ("Reconciling", "Stalled", "Paused", "Deleting", "Drifted") else ConditionStatus.TRUE
    )
    under_way = condition.type in ("Reconciling", "Paused", "Deleting") or condition.reason in UNDER_WAY
    return "✓" if good else "·" if under_way else "!"


def _failure(failure: Failure) -> list[str]:
    where = f"{failure.host or 'cluster'}, {failure.phase}" + (f", {failure.step}" if failure.step != failure.phase else "")
    code = f" (exit code {failure.exit_code})" if failure.exit_code is not None else ""
    found = [f"  {failure.time}  {where}{code}", f"  {failure.reason}: {failure.message}"]
    hint = failure.hint or (CATALOGUE[Reason(failure.reason)].cure if failure.reason in set(Reason) else "")
    if hint:
        found.append(f"  hint: {spoken(hint)}")
    if failure.output:
        found += ["  its last lines:", *(f"    {line}" for line in failure.output.splitlines()[-10:])]
    return found
