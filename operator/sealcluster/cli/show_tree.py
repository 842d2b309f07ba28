"""The hosts of a cluster as a tree, each with the steps that are left for it. Marks say what colour would: nothing is lost without it."""

from __future__ import annotations

from collections.abc import Sequence

from sealcluster.api import HostState, SealClusterStatus
from sealcluster.api.hosts import Host
from sealcluster.api.status import ConditionStatus, HostStatus, PlanStep
from sealcluster.cli.columns import columns

STEPS = 4
"""Steps of one host that are shown; the others are counted."""

SICK = (HostState.FAILED, HostState.UNREACHABLE, HostState.EXCLUDED)
"""States whose steps are not going on."""

NOW, LATER, WRONG = "▸", "·", "!"
"""Being done or about to be; waits for something; failed, to be tried again."""


def tree(status: SealClusterStatus, hosts: Sequence[Host], most: int = 0) -> list[str]:
    """The lines. `hosts`: spec.hosts, for what the status of a large cluster leaves out. `most`: hosts that are shown, those that need
    attention first (0: all)."""
    wanted = {host.name: host for host in hosts}
    chosen = _important(status.hosts, most) if most else status.hosts
    rows = columns([_host(row, wanted.get(row.name), status) for row in chosen])
    steps = status.plan.steps if status.plan else ()
    branches = [
        (line, _steps([s for s in steps if s.host == row.name], wrong=row.state in SICK)) for line, row in zip(rows, chosen, strict=True)
    ]
    if len(chosen) < len(status.hosts):
        ready = sum(row.state is HostState.READY for row in status.hosts)
        branches.append((f"… {len(status.hosts) - len(chosen)} more; {ready} of {len(status.hosts)} are Ready", []))
    stalled = next((c for c in status.conditions if c.type == "Stalled" and c.status is ConditionStatus.TRUE), None)
    at_fault = status.last_failure.phase if stalled and status.last_failure and status.last_failure.reason == stalled.reason else ""
    own = _steps([s for s in steps if s.host is None], failed=at_fault)
    hidden = (status.plan.total if status.plan else 0) - len(steps)
    if own or hidden > 0:
        branches.append(("cluster", [*own, *([f"… and {hidden} more of the plan"] if hidden > 0 else [])]))
    found: list[str] = []
    for number, (line, below) in enumerate(branches, 1):
        last = number == len(branches)
        found.append(f"{'└─' if last else '├─'} {line}")
        found += [f"{' ' if last else '│'}  {'└─' if n == len(below) else '├─'} {text}" for n, text in enumerate(below, 1)]
    return found


def _important(rows: Sequence[HostStatus], most: int) -> Sequence[HostStatus]:
    """What is wrong, then who is at work, then the others; in the order of the list."""
    rank = {row.name: 0 if row.state in SICK else 1 if row.state is not HostState.READY else 2 for row in rows}
    names = set(sorted(rank, key=lambda name: rank[name])[:most])
    return [row for row in rows if row.name in names]


def _host(row: HostStatus, host: Host | None, status: SealClusterStatus) -> list[str]:
    roles = row.roles if row.roles is not None else (host.roles if host else ())
    address = row.address or (host.address if host else "")
    node = {True: "node Ready", False: "node not Ready", None: ""}[row.node_ready]
    version = row.version if row.version != status.version else ""
    why = f"{row.reason}: {row.message}" if row.reason and row.message else row.reason or row.message or ""
    return [row.name, address, ",".join(roles), row.state.value, node, version or "", why]


def _steps(steps: Sequence[PlanStep], *, wrong: bool = False, failed: str = "") -> list[str]:
    """`wrong`: they are those of a sick host. `failed`: the phase whose step failed last."""
    shown = [f"{_mark(step, wrong=wrong or step.phase == failed)} {step.what}" for step in steps[:STEPS]]
    more = len(steps) - len(shown)
    return [*shown, *([f"… and {more} more"] if more else [])]


def _mark(step: PlanStep, *, wrong: bool) -> str:
    if ", after " in step.what:
        return LATER
    return WRONG if wrong else NOW
