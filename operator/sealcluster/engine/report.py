"""What one turn has to tell: from the view and the plans to conditions, hosts, progress and the last failure. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from sealcluster.api.catalogue import CATALOGUE, Nature
from sealcluster.api.conditions import ConditionType as C
from sealcluster.api.conditions import Reason
from sealcluster.api.status import ConditionStatus
from sealcluster.api.summary import Account, Finding, Note
from sealcluster.core.plan import Action, PhasePlan, Problem
from sealcluster.core.quorum import etcd_state
from sealcluster.core.view import ClusterView
from sealcluster.phases.units import drift

MONTH = 30 * 86400.0


@dataclass(frozen=True, slots=True)
class Step:
    """What is shown as progress."""

    phase: str
    title: str
    done: int
    total: int

    def __str__(self) -> str:
        return f"{self.title} {self.done}/{self.total}" if self.total else self.title


@dataclass(frozen=True)
class Report:
    """One turn."""

    view: ClusterView
    plans: Mapping[str, PhasePlan]
    running: Mapping[str, Action]
    notes: Mapping[str, str]
    """Progress lines by lane."""
    step: Step | None
    account: Account
    problems: tuple[Problem, ...]

    @property
    def settled(self) -> bool:
        """Nothing runs, nothing is left to do, everything is healthy."""
        return self.account.applied and not self.problems and not self.running and self.view.cluster_settled

    @property
    def ready(self) -> bool:
        """What Ready=True will say."""
        return self.settled

    @property
    def released(self) -> bool:
        """The cluster is being deleted and no machine is ours any more."""
        return self.view.deleting and not self.view.state.inventory and not self.running and "teardown" in self.plans

    @property
    def endpoint(self) -> str | None:
        """Where the new cluster's API is: on a master that answers, or else on one that joined."""
        leader = self.view.leader or next(iter(self.view.joined_masters), None)
        return f"https://{leader.address}:{self.view.spec.endpoint.port}" if leader and self.view.initialized else None

    @property
    def blocked(self) -> bool:
        """A person is needed before anything can go on."""
        return self.account.working is None and self.account.blocked is not None


def as_reason(text: str) -> Reason:
    """The member of the closed list; what is not in it is a bug of ours and says so."""
    try:
        return Reason(text)
    except ValueError:
        return Reason.INTERNAL_ERROR


def make_report(
    view: ClusterView,
    plans: Mapping[str, PhasePlan],
    running: Mapping[str, Action],
    notes: Mapping[str, str],
    titles: Sequence[str],
    *,
    settling: bool = False,
    overdue: tuple[Problem, ...] = (),
) -> Report:
    """Judge one turn. `settling`: something changed a moment ago, so an unhealthy node may just be starting; `overdue`: what waited too long."""
    problems = (*all_problems(view, plans), *(_with_hint(p) for p in overdue))
    applied = all(not p.actions for p in plans.values()) and all(_just_down(view, p) for p in problems) and not view.deleting
    step = _step(plans, running, titles)
    account = Account(
        details=_details(view, plans, problems),
        applied=applied,
        working=None if view.spec.paused else _working(view, plans, running, problems, step, settling=settling, standstill=bool(overdue)),
        blocked=_blocked(problems),
        paused=bool(view.spec.paused),
        deleting=view.deleting,
    )
    return Report(view, plans, dict(running), dict(notes), step, account, problems)


def all_problems(view: ClusterView, plans: Mapping[str, PhasePlan]) -> tuple[Problem, ...]:
    """Everything in the way, once each: hosts that were not seen, what phases found, what failed."""
    found = [h.error for h in view.hosts.values() if h.error is not None]
    found += view.problems
    found += [p for plan in plans.values() for p in plan.problems]
    found += [f.problem for f in view.failures.values()]
    return tuple(dict.fromkeys(_with_hint(p) for p in found))


def _with_hint(problem: Problem) -> Problem:
    return replace(problem, hint=problem.hint or CATALOGUE[as_reason(problem.reason)].cure)


def _step(plans: Mapping[str, PhasePlan], running: Mapping[str, Action], titles: Sequence[str]) -> Step | None:
    busy = {a.phase for a in running.values()}
    chosen = None
    for (name, plan), title in zip(plans.items(), titles, strict=False):
        if not plan.actions:
            continue
        step = Step(name, title, plan.done, plan.total)
        if name in busy:
            return step
        chosen = chosen or step
    return chosen


def _working(
    view: ClusterView,
    plans: Mapping[str, PhasePlan],
    running: Mapping[str, Action],
    problems: tuple[Problem, ...],
    step: Step | None,
    *,
    settling: bool,
    standstill: bool,
) -> Note | None:
    made = view.kubeconfig is not None and all(_succeeded(view, i.name) for i in view.any_images if i.type == "application")
    fresh = Reason.DELETING if view.deleting else (Reason.UPDATING if made else Reason.PROVISIONING)
    stuck = {p.host for p in problems if p.terminal}
    transient = [p for p in problems if not p.terminal and (not p.host or p.host not in stuck) and not _just_down(view, p)]
    if running:
        retrying = next((p for p in transient), None)
        last = next(iter(running.values()))  # its phase plans no more of it: what is left is to see it end
        text = str(step) if step else f"{last.host}: {last.what}" if last.host else last.what
        return Note(fresh, f"{text}; trying again: {retrying.message}" if retrying else text)
    if transient:
        attempts = [f for f in view.failures.values() if not f.problem.terminal]
        silent = (h.failures for h in view.hosts.values() if h.error is not None and not h.error.terminal)
        count = max((*(f.count for f in attempts), *silent), default=1)
        due = min((f.retry_at for f in attempts), default=view.steady) - view.steady
        when = f", next in {max(due, 0):.0f} s" if attempts else ""
        return Note(Reason.PROGRESSING_WITH_RETRY, f"{transient[0].message} (attempt {count}{when})")
    waiting = [a for p in plans.values() for a in p.actions if a.host not in stuck and a.key not in view.failures]
    if any(p.cluster for p in problems if p.terminal):
        return None
    if waiting and not standstill and not (stuck and all(_stands_still(a, stuck) for a in waiting)):
        first = waiting[0]
        return Note(fresh, f"{step or first.what}: {'waiting for ' + first.needs if first.needs else first.what}")
    if settling and not problems and not view.cluster_settled:
        return Note(fresh, f"waiting for {view.unsettled}")
    return None


def _succeeded(view: ClusterView, image: str) -> bool:
    record = view.state.guests.get(image)
    return record is not None and record.rc == 0


def _stands_still(action: Action, stuck: AbstractSet[str]) -> bool:
    """True for what waits, unless it only waits for machines that go on by themselves."""
    return bool(action.needs) and (not action.watch or not stuck.isdisjoint(action.watch))


def _just_down(view: ClusterView, problem: Problem) -> bool:
    """True for a machine of a finished cluster that does not answer: it is looked at again, but nothing is being done about it."""
    host = view.hosts.get(problem.host)
    if problem.phase != "connect" or host is None or host.row is None or not view.initialized:
        return False
    return problem.host in view.cluster.nodes or not view.cluster.reachable


def _blocked(problems: tuple[Problem, ...]) -> Note | None:
    terminal = [p for p in problems if p.terminal]
    if not terminal:
        return None
    terminal.sort(key=lambda p: not p.cluster)
    more = f" (and {len(terminal) - 1} more)" if len(terminal) > 1 else ""
    hint = f"; {terminal[0].hint}" if terminal[0].hint else ""
    return Note(as_reason(terminal[0].reason), f"{terminal[0].message}{hint}{more}")


def _details(view: ClusterView, plans: Mapping[str, PhasePlan], problems: tuple[Problem, ...]) -> dict[C, Finding]:
    details: dict[C, Finding] = {C.SPEC_VALID: Finding.true()}
    for kind in (C.CREDENTIALS_VALID, C.HOSTS_REACHABLE, C.PREFLIGHT_PASSED, C.IMAGE_AVAILABLE):
        details[kind] = Finding.true()
    details[C.DRIFTED] = _drifted(view)
    if not view.images:
        details[C.IMAGE_AVAILABLE] = Finding.unknown()
    details[C.REGISTRY_AVAILABLE] = _of_phase(plans.get("distribute-registry"), "the registry is not filled yet")
    details[C.ENDPOINT_REACHABLE] = _endpoint(view, plans.get("load-balancer"))
    details[C.GUESTS_APPLIED] = _of_phase(plans.get("guests"), "the images' commands have not all run")
    if view.initialized and not view.images:  # without the images nobody knows what should be on the machines
        for kind in (C.REGISTRY_AVAILABLE, C.ENDPOINT_REACHABLE):
            if details[kind].status is ConditionStatus.FALSE:
                details[kind] = Finding.unknown(message="cannot be told before the cluster images are there")
    details.update(_control_plane(view))
    details[C.CERTIFICATES_VALID] = _certificates(view)
    by_condition: dict[C, list[Problem]] = {}
    for problem in problems:
        entry = CATALOGUE[as_reason(problem.reason)]
        if entry.condition in details and entry.nature is not Nature.NORMAL:
            by_condition.setdefault(entry.condition, []).append(problem)
    for kind, found in by_condition.items():
        first = min(found, key=lambda p: not p.terminal)
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        bad = Finding.true if kind is C.DRIFTED else Finding.false  # the one condition that is good when False
        details[kind] = bad(as_reason(first.reason), f"{first.message}; {first.hint}{more}")
    return details


def _drifted(view: ClusterView) -> Finding:
    found = [f"{host}: {what}" for host, what in drift(view)]
    if not found:
        return Finding.false()
    more = f" (and {len(found) - 5} more)" if len(found) > 5 else ""
    return Finding.true(Reason.DRIFT_FOUND, f"{'; '.join(found[:5])}{more}; it is being put right")


def _of_phase(plan: PhasePlan | None, otherwise: str) -> Finding:
    if plan is None or (not plan.actions and plan.done >= plan.total):
        return Finding.true()
    return Finding.false(Reason.PROVISIONING, f"{otherwise} ({plan.done}/{plan.total})")


def _endpoint(view: ClusterView, plan: PhasePlan | None) -> Finding:
    """Whether a balancer answers is seen on its worker only."""
    unseen = [h.name for h in view.workers if view.joined(h) and h.facts is None]
    if plan is not None and unseen and not plan.actions and plan.done + len(unseen) >= plan.total:
        return Finding.unknown(Reason.HOST_UNREACHABLE, f"cannot be looked at on {', '.join(unseen[:10])}")
    return _of_phase(plan, "a worker's balancer does not answer yet")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _control_plane(view: ClusterView) -> dict[C, Finding]:
    if not view.initialized:
        missing = Finding.false(Reason.PROVISIONING, "kubeadm init has not run yet")
        return {C.CONTROL_PLANE_INITIALIZED: missing, C.AVAILABLE: missing, C.CONTROL_PLANE_HEALTHY: missing, C.ETCD_HEALTHY: missing,
                C.WORKERS_READY: Finding.false(Reason.PROVISIONING, "there are no nodes yet")}  # fmt: skip
    found = {C.CONTROL_PLANE_INITIALIZED: Finding.true()}
    if view.cluster.reachable:
        found[C.AVAILABLE] = Finding.true(
            Reason.CONTROL_PLANE_SERVING, f"{len(view.cluster.ready_masters)} of {len(view.masters)} masters answer"
        )
    else:
        found[C.AVAILABLE] = Finding.false(Reason.CONTROL_PLANE_UNHEALTHY, view.cluster.error or "no master's API server answers")
    silent = [h.name for h in view.masters if h.name not in view.cluster.ready_masters]
    found[C.CONTROL_PLANE_HEALTHY] = (
        Finding.false(Reason.CONTROL_PLANE_UNHEALTHY, f"the API server does not answer on {', '.join(silent)}")
        if silent
        else Finding.true()
    )
    etcd = etcd_state(view)
    sick = sorted({h.name for h in view.masters} - etcd.healthy)
    found[C.ETCD_HEALTHY] = (
        Finding.unknown(message="no master can be looked at")
        if all(h.facts is None for h in view.masters)
        else Finding.false(
            Reason.ETCD_UNHEALTHY, f"{etcd.healthy_voters} of {len(etcd.voters)} voting members are healthy; not: {', '.join(sick)}"
        )
        if sick or etcd.learners or len(etcd.voters) != len(view.masters)
        else Finding.true(message=_counted(len(etcd.voters), "voting member"))
    )
    found[C.WORKERS_READY] = _nodes(view)
    return found


def _nodes(view: ClusterView) -> Finding:
    unready = [h.name for h in view.wanted if not ((n := view.node(h)) and n.ready)]
    if unready:
        ready = len(view.wanted) - len(unready)
        return Finding.false(Reason.NODES_NOT_READY, f"{ready} of {len(view.wanted)} nodes are Ready; not: {', '.join(unready[:10])}")
    if view.cluster.reachable and not view.cluster.dns_ready:
        return Finding.false(Reason.NODES_NOT_READY, "the nodes are Ready, but none of CoreDNS' pods is: no name can be resolved")
    return Finding.true(message="1 node is Ready" if len(view.wanted) == 1 else f"{len(view.wanted)} nodes are Ready")


def _certificates(view: ClusterView) -> Finding:
    known = [(h.soonest_expiry, h.name) for h in view.masters if h.soonest_expiry is not None]
    if not known:
        return Finding.unknown() if not view.initialized else Finding.true()
    soonest, host = min(known)
    if soonest < view.now:
        return Finding.false(Reason.CERTIFICATE_EXPIRING, f"a certificate on {host} has expired")
    if soonest < view.now + MONTH:
        return Finding.true(Reason.CERTIFICATE_EXPIRING, f"a certificate on {host} expires in {(soonest - view.now) / 86400:.0f} days")
    return Finding.true()
