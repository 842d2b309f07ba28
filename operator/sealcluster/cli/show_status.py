"""A SealCluster's status for people: whether it is well, its hosts as a tree, what is not as expected, the last failure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sealcluster.api import CATALOGUE, ConditionStatus, SealClusterStatus
from sealcluster.api.conditions import Reason
from sealcluster.api.hosts import Host
from sealcluster.api.status import Condition, Failure, HostStatus
from sealcluster.cli.columns import columns
from sealcluster.cli.failures import spoken


@dataclass(frozen=True)
class Shown:
    """What is shown; the status may come from a look or from a management plane."""

    name: str
    status: SealClusterStatus
    hosts: Sequence[Host] = ()
    """spec.hosts, for what the status of a large cluster leaves out."""
    busy: str = ""
    """Who works on it now."""
    elsewhere: str = ""
    """Where the cluster was handed over to."""


def lines(shown: Shown) -> list[str]:
    """The text, line by line."""
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
    found += _tree(shown)
    found.append("")
    if ready is not None and ready.message:
        found.append(ready.message)
    if status.progress is not None:
        found.append(f"progress: {status.progress.message}")
    if shown.elsewhere:
        found.append(f"it was handed over to {shown.elsewhere}")
    if shown.busy:
        found.append(f"{shown.busy} is working on it")
    if status.certificates is not None:
        found.append(f"certificates: the first expires on {status.certificates.soonest_expiry[:10]} ({status.certificates.host})")
    found += ["", "conditions", *columns([_condition(c) for c in status.conditions], "  ")]
    if status.last_failure is not None:
        found += ["", "last failure", *_failure(status.last_failure)]
    return found


def _tree(shown: Shown) -> Iterable[str]:
    wanted = {host.name: host for host in shown.hosts}
    rows = [_host(row, wanted.get(row.name), shown.status) for row in shown.status.hosts]
    drawn = columns(rows)
    return [f"{'└─' if number == len(drawn) else '├─'} {line}" for number, line in enumerate(drawn, 1)]


def _host(row: HostStatus, host: Host | None, status: SealClusterStatus) -> list[str]:
    roles = row.roles if row.roles is not None else (host.roles if host else ())
    address = row.address or (host.address if host else "")
    node = {True: "node Ready", False: "node not Ready", None: ""}[row.node_ready]
    version = row.version if row.version != status.version else ""
    why = f"{row.reason}: {row.message}" if row.reason and row.message else row.reason or row.message or ""
    return [row.name, address, ",".join(roles), row.state.value, node, version or "", why]


def _condition(condition: Condition) -> list[str]:
    return [_mark(condition), condition.type, condition.status.value, condition.reason, condition.message]


def _mark(condition: Condition) -> str:
    """✓ as it should be, ! wrong, · neither (not seen yet, or under way)."""
    if condition.status is ConditionStatus.UNKNOWN:
        return "·"
    good = condition.status is (
        ConditionStatus.FALSE if condition.type in ("Reconciling", "Stalled", "Paused", "Deleting", "Drifted") else ConditionStatus.TRUE
    )
    return "✓" if good else ("·" if condition.type in ("Reconciling", "Paused", "Deleting") else "!")


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
