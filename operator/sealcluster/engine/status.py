"""From a report to `status`. Pure: the old conditions and the time come in, the new status goes out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime

from sealcluster.api import (
    MAX_PLAN_STEPS,
    CertificateExpiry,
    HostState,
    HostStatus,
    NodeCounts,
    PlanStatus,
    PlanStep,
    Progress,
    Role,
    SealClusterStatus,
)
from sealcluster.api import Failure as FailureStatus
from sealcluster.api.catalogue import CATALOGUE
from sealcluster.api.status import Condition
from sealcluster.api.summary import phase_word, set_conditions, shorten, summarize, timestamp
from sealcluster.core.plan import Action, Problem
from sealcluster.core.view import HostView
from sealcluster.engine.report import Report, as_reason
from sealcluster.phases.clusterfile import clusterfile

SHORT = 256


def make_status(
    report: Report, old: Iterable[Condition], now: datetime, *, fingerprints: dict[str, str], failure: FailureStatus | None = None
) -> SealClusterStatus:
    """The whole status of one turn. `fingerprints`: SHA256 of host keys by host; `failure`: the last one that was told."""
    view = report.view
    conditions = set_conditions(old, summarize(report.account), view.generation, now)
    leader = view.leader or next(iter(view.joined_masters), None)
    return SealClusterStatus(
        observed_generation=view.generation,
        conditions=conditions,
        phase=phase_word(conditions),
        progress=_progress(report),
        initialized=view.initialized,
        version=view.version or None,
        endpoint=f"https://{leader.address}:{view.spec.endpoint.port}" if leader and view.initialized else None,
        nodes=_counts(report),
        hosts=_hosts(report, fingerprints),
        plan=_plan(report),
        last_failure=_since(failure, _failure(report)),
        certificates=_certificates(report),
        clusterfile=clusterfile(view, ready=report.ready),
        last_handled_retry_at=view.annotations.get("sealcluster.io/retry"),
    )


def _progress(report: Report) -> Progress | None:
    if report.step is None:
        return None
    return Progress(
        phase=report.step.phase,
        done=report.step.done,
        total=max(report.step.total, report.step.done),
        message=shorten(str(report.step), SHORT),
    )


def _counts(report: Report) -> NodeCounts:
    view = report.view

    def ready(hosts: Iterable[HostView]) -> int:
        return sum(1 for h in hosts if (n := view.node(h)) is not None and n.ready)

    masters, workers = ready(view.masters), ready(view.workers)
    return NodeCounts(
        masters=f"{masters}/{len(view.masters)}",
        workers=f"{workers}/{len(view.workers)}",
        ready=masters + workers,
        desired=len(view.wanted),
    )


def _hosts(report: Report, fingerprints: dict[str, str]) -> tuple[HostStatus, ...]:
    problems = {p.host: p for p in reversed(report.problems)}  # the first one of each host counts
    actions = {a.host: a for a in reversed(list(report.running.values()))}
    return tuple(_host(report, h, fingerprints.get(h.name), problems.get(h.name), actions.get(h.name)) for h in report.view.hosts.values())


def _host(report: Report, host: HostView, fingerprint: str | None, problem: Problem | None, action: Action | None) -> HostStatus:
    view = report.view
    node = view.node(host)
    if host.error is not None and not host.error.terminal:
        state = HostState.UNREACHABLE
    elif problem is not None and problem.phase == "preflight":
        state = HostState.EXCLUDED
    elif problem is not None:
        state = HostState.FAILED
    elif host.going or (view.deleting and host.row is not None):
        state = HostState.LEAVING
    elif node is not None and view.joined(host):
        state = HostState.READY if node.ready else HostState.NOT_READY
    elif action is not None and action.phase.startswith(("join", "init")):
        state = HostState.JOINING
    elif host.claimed:
        state = HostState.PREPARING
    else:
        state = HostState.CHECKING if host.facts is not None else HostState.PENDING
    message = problem.message if problem else (report.notes.get(host.name) or (action.what if action else None))
    return HostStatus(
        name=host.name,
        address=host.address,
        roles=tuple(Role(r) for r in host.roles),
        state=state,
        reason=str(as_reason(problem.reason)) if problem else None,
        message=shorten(message, SHORT) if message else None,
        node_ready=node.ready if node else None,
        version=node.version if node else None,
        machine_id=host.facts.machine_id if host.facts else (host.row.machine_id if host.row else None),
        host_key_fingerprint=fingerprint,
        arch=host.facts.arch if host.facts else None,
    )


def _plan(report: Report) -> PlanStatus | None:
    steps = [a for p in report.plans.values() for a in p.actions]
    if not steps:
        return None
    texts = [f"{a.key} {a.needs}" for a in steps]
    shown = tuple(
        PlanStep(host=a.host or None, phase=a.phase, what=shorten(f"{a.what}: {a.why}{', after ' + a.needs if a.needs else ''}", SHORT))
        for a in steps[:MAX_PLAN_STEPS]
    )
    return PlanStatus(digest="sha256:" + hashlib.sha256("\n".join(texts).encode()).hexdigest(), total=len(steps), steps=shown)


def _failure(report: Report) -> FailureStatus | None:
    failures = report.view.failures.values()
    if failures:
        last = max(failures, key=lambda f: f.time)
        reason = as_reason(last.problem.reason)
        return FailureStatus(
            host=last.problem.host or None,
            phase=last.problem.phase,
            step=shorten(last.step, SHORT),
            exit_code=last.exit_code,
            reason=str(reason),
            message=shorten(last.problem.message, 2048),
            hint=shorten(last.problem.hint or CATALOGUE[reason].cure, 1024) or None,
            output=last.output[-8000:] or None,
            evidence=f"{report.view.name}-evidence",
            time=timestamp(datetime.fromtimestamp(last.time, UTC)),
        )
    if report.problems:
        first = report.problems[0]
        reason = as_reason(first.reason)
        return FailureStatus(
            host=first.host or None,
            phase=first.phase or "observe",
            step="observe",
            reason=str(reason),
            message=shorten(first.message, 2048),
            hint=shorten(first.hint or CATALOGUE[reason].cure, 1024) or None,
            time=timestamp(datetime.fromtimestamp(report.view.now, UTC)),
        )
    return None


def _since(before: FailureStatus | None, now: FailureStatus | None) -> FailureStatus | None:
    """What is still in the way began when it was told first: a new time with every look would be a write with every look."""
    if before is not None and now is not None and before == now.model_copy(update={"time": before.time}):
        return before
    return now


def _certificates(report: Report) -> CertificateExpiry | None:
    known = [(h.soonest_expiry, h.name) for h in report.view.masters if h.soonest_expiry is not None]
    if not known:
        return None
    soonest, host = min(known)
    return CertificateExpiry(
        soonest_expiry=timestamp(datetime.fromtimestamp(soonest, UTC)), host=host, name="the master's leaf certificates"
    )
