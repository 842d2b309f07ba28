"""From a report to `status`. Pure: the old conditions and the time come in, the new status goes out.

What machines, images, Nodes and annotations say may be longer than status has room for: it is cut here, never refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime

from sealcluster.api import (
    MAX_PLAN_STEPS,
    RETRY_ANNOTATION,
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
from sealcluster.api.status import MAX_ARCH, MAX_CLUSTERFILE, MAX_HOST_ROWS, MAX_RETRY, MAX_VERSION, Condition
from sealcluster.api.summary import phase_word, set_conditions, shorten, summarize, timestamp
from sealcluster.core.plan import Action, Problem
from sealcluster.core.view import HostView
from sealcluster.engine.report import Report, as_reason
from sealcluster.phases.clusterfile import clusterfile

SHORT = 256
INT32 = 2**31 - 1


def make_status(
    report: Report, old: Iterable[Condition], now: datetime, *, fingerprints: dict[str, str], failure: FailureStatus | None = None
) -> SealClusterStatus:
    """The whole status of one turn. `fingerprints`: SHA256 of host keys by host; `failure`: the last one that was told."""
    view = report.view
    conditions = set_conditions(old, summarize(report.account), view.generation, now)
    return SealClusterStatus(
        observed_generation=view.generation,
        conditions=conditions,
        phase=phase_word(conditions),
        progress=_progress(report),
        initialized=view.initialized,
        version=_cut(view.version, MAX_VERSION),
        endpoint=report.endpoint,
        nodes=_counts(report),
        hosts=_hosts(report, fingerprints),
        plan=_plan(report),
        last_failure=_since(failure, _failure(report)),
        certificates=_certificates(report),
        clusterfile=_clusterfile(report),
        last_handled_retry_at=_retry(view.annotations.get(RETRY_ANNOTATION)),
    )


def _cut(text: str | None, limit: int) -> str | None:
    return shorten(text, limit) if text else None


def _clusterfile(report: Report) -> str | None:
    """In place of one that does not fit a comment: it is YAML too, and the one from before would be out of date."""
    text = clusterfile(report.view, ready=report.ready)
    if text is None or len(text) <= MAX_CLUSTERFILE:
        return text
    return f"# left out: it has {len(text)} characters, status has room for {MAX_CLUSTERFILE}\n"


def _retry(word: str | None) -> str | None:
    """Two words that differ must not look alike, so that whoever set one sees when it is handled."""
    if word is None or len(word) <= MAX_RETRY:
        return word
    digest = "…" + hashlib.sha256(word.encode()).hexdigest()[:16]
    return word[: MAX_RETRY - len(digest)] + digest


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
    shown = list(report.view.hosts.values())[:MAX_HOST_ROWS]  # those of the spec come first
    return tuple(_host(report, h, fingerprints.get(h.name), problems.get(h.name), actions.get(h.name)) for h in shown)


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
        message=_cut(message, SHORT),
        node_ready=node.ready if node else None,
        version=_cut(node.version, MAX_VERSION) if node else None,
        machine_id=host.facts.machine_id if host.facts else (host.row.machine_id if host.row else None),
        host_key_fingerprint=fingerprint,
        arch=_cut(host.facts.arch, MAX_ARCH) if host.facts else None,
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
            exit_code=None if last.exit_code is None else max(-INT32, min(last.exit_code, INT32)),
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
