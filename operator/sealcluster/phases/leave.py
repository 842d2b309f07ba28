"""A host leaves: cordon, drain, let go of it (balancers, registry, etcd), clean, verify from outside, forget.

A machine that is gone for ever is released only when a person names it; its etcd member and its Node go all the same.
"""

from __future__ import annotations

from dataclasses import replace

from sealcluster.api import ACKNOWLEDGE_LOST_ANNOTATION
from sealcluster.core import paths
from sealcluster.core.digest import digest
from sealcluster.core.errors import TransientError
from sealcluster.core.ops import CleanHost, EtcdMember, Job
from sealcluster.core.plan import Action, PhasePlan, Problem
from sealcluster.core.quorum import etcd_state, may_remove
from sealcluster.core.state import StateRecord
from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.balancer_choice import EXTERNAL, balancer
from sealcluster.phases.base import Context
from sealcluster.phases.load_balancer import balancer_written
from sealcluster.phases.registry import tree_ready

MARK, CORDON, DRAIN, ETCD, CLEAN, NODE, FORGET = (
    "mark as leaving",
    "cordon",
    "drain",
    "remove its etcd member",
    "clean the machine",
    "delete its Node",
    "release",
)
DRAIN_ROUND_SECONDS = 40.0


def acknowledged(view: ClusterView, host: HostView) -> bool:
    """True when a person named this machine as lost."""
    text = view.annotations.get(ACKNOWLEDGE_LOST_ANNOTATION, "")
    pairs = [p.strip().partition("=") for p in text.split(",") if p.strip()]
    return host.row is not None and any(name == host.name and value == host.row.machine_id for name, _, value in pairs)


def ours(view: ClusterView, host: HostView) -> bool:
    """True while the machine still carries our owner file."""
    return host.facts is not None and host.facts.owner is not None and host.facts.owner.cluster_id == view.state.cluster_id


def clean_job(view: ClusterView, host: HostView) -> Job:
    """Undo everything on the machine."""
    row = host.row
    names = (str(view.spec.registry.domain), str(view.spec.endpoint.domain), "lvscare.node.ip")
    op = CleanHost(paths.rootfs(view.name), row.clean if row else (), dict(row.clean_env) if row else {}, names)
    return Job("clean", digest(view.state.cluster_id, host.name, "clean"), op, timeout=900)


def lost(view: ClusterView, host: HostView, phase: str) -> Problem:
    """What to do about a machine that must be released and does not answer."""
    machine = host.row.machine_id if host.row else "?"
    return Problem(
        "LostHostNeedsAcknowledgement",
        f"{host.name} ({host.address}) must be released and cannot be reached: {host.error.message if host.error else 'not seen yet'}",
        host.name,
        phase,
        f"bring it back to have it cleaned, or, if it is gone for ever: kubectl annotate sealcluster {view.name} "
        f"{ACKNOWLEDGE_LOST_ANNOTATION}={host.name}={machine}",
    )


class Leave:
    """Hosts whose row left the spec, or whose role changed."""

    name = "leave"
    title = "releasing machines"

    def plan(self, view: ClusterView) -> PhasePlan:
        """The next step of each leaving host; masters one at a time."""
        actions: list[Action] = []
        problems: list[Problem] = []
        leaving = [h for h in view.hosts.values() if h.row is not None and (h.spec is None or h.row.leaving or self._role_changed(h))]
        draining = 0
        master_turn = ""
        budget = self._budget(view)
        for host in leaving:
            gone = host.error is not None and acknowledged(view, host)
            if host.facts is None and not gone:
                if host.error is not None:
                    problems.append(lost(view, host, self.name))
                continue
            what, needs, problem = self._step(view, host, gone=gone)
            if problem is not None:
                problems.append(problem)
                continue
            if what in (CORDON, DRAIN):
                draining += 1
                if draining > budget:
                    needs = needs or "other machines to be drained first"
            if host.was_master and what not in (MARK, CORDON):
                if master_turn:
                    needs = needs or f"{master_turn} to leave first"
                master_turn = master_turn or host.name
            why = "its row left the spec" if host.spec is None else "its role changed"
            actions.append(Action(self.name, what, host.name, why, needs, disruptive=True, watch=(host.name,)))
        return PhasePlan(tuple(actions), tuple(problems), done=0, total=len(leaving))

    @staticmethod
    def _role_changed(host: HostView) -> bool:
        return host.row is not None and host.spec is not None and host.was_master != host.master

    @staticmethod
    def _budget(view: ClusterView) -> int:
        value = view.spec.rollout.max_unavailable
        if isinstance(value, int):
            return value
        return max(1, len(view.workers) * int(str(value).rstrip("%")) // 100)

    def _step(self, view: ClusterView, host: HostView, *, gone: bool) -> tuple[str, str, Problem | None]:
        assert host.row is not None
        if not host.row.leaving:
            return MARK, "", None
        node = view.node(host)
        if not gone and ours(view, host) and node is not None and view.leader is not None and not node.unschedulable:
            return CORDON, "", None
        if host.was_master and self._member(view, host):
            refusal = may_remove(etcd_state(view), host.name)
            if refusal:
                return "", "", Problem("QuorumAtRisk", refusal, host.name, self.name, "add or repair a master first", terminal=False)
        if not gone and ours(view, host):
            if node is not None and view.leader is not None and host.name not in view.drained:
                return DRAIN, self._replacement(view, host), None
            waits = self._replacement(view, host) or self._let_go(view, host)
            if waits:
                return CLEAN, waits, None
            if host.was_master and self._member(view, host):
                return ETCD, "", None
            return CLEAN, "", None
        if host.was_master and self._member(view, host):
            return ETCD, "" if view.leader else "a master whose API server answers", None
        if node is not None:
            return NODE, "" if view.leader else "a master whose API server answers", None
        if not gone and host.facts is not None and host.facts.leftovers:
            left = ", ".join(host.facts.leftovers[:5])
            problem = Problem(
                "HostNotClean", f"{host.name} is not clean: {left}", host.name, self.name, "remove what is named, then it is released"
            )
            return "", "", problem
        return FORGET, "", None

    @staticmethod
    def _member(view: ClusterView, host: HostView) -> bool:
        return etcd_state(view).member(host.name) is not None

    @staticmethod
    def _replacement(view: ClusterView, host: HostView) -> str:
        """A healthy master waits until new ones have joined; somebody must be left."""
        if not host.was_master:
            return ""
        coming = [h.name for h in view.masters if not view.joined(h) and not view.failing(h)]
        return f"{coming[0]} to join first" if coming else ""

    @staticmethod
    def _let_go(view: ClusterView, host: HostView) -> str:
        """Balancers and the registry's names must lead elsewhere before the machine goes."""
        if not host.was_master:
            return ""
        for worker in view.workers:
            if (
                worker.facts is not None
                and view.joined(worker)
                and balancer(view, worker) != EXTERNAL
                and not balancer_written(view, worker)
            ):
                return f"the balancer on {worker.name} to let go of it"
        registry = view.registry
        if registry is not None and not view.failing(registry) and not tree_ready(view, registry):
            return f"the registry on {registry.name}"
        return ""

    async def apply(self, context: Context, view: ClusterView, action: Action) -> None:
        """One step."""
        host = view.hosts[action.host]
        gate = context.gate
        if action.what == MARK:
            await gate.update_state(lambda s: _mark(s, host.name))
        elif action.what == CORDON:
            await gate.workload.set_unschedulable(host.name, value=True)
        elif action.what == DRAIN:
            await self._drain(context, view, host)
        elif action.what == ETCD:
            member = etcd_state(view).member(host.name)
            leader = next((h for h in view.serving_masters if h.name != host.name and h.name in view.cluster.ready_masters), None)
            if member is None or leader is None:
                raise TransientError("removing an etcd member: no other master answers", host=host.name, reason="EtcdUnhealthy")
            job = Job("etcd-member", digest("remove", member.id), EtcdMember("remove", member.id), timeout=120)
            await gate.run(leader.name, job, reason="EtcdUnhealthy")
            await gate.refresh(leader.name)
        elif action.what == CLEAN:
            await gate.run(host.name, clean_job(view, host), reason="HostNotClean")
        elif action.what == NODE:
            node = view.node(host)
            if node is not None:
                await gate.workload.delete_node(node.name, node.uid)
        else:
            await gate.forget_host(host.name)

    async def _drain(self, context: Context, view: ClusterView, host: HostView) -> None:
        end = context.clock.now() + DRAIN_ROUND_SECONDS
        while True:
            left, blocked = await context.gate.workload.evict_pods(host.name)
            if left == 0:
                context.remember_drained(host.name)
                return
            if context.clock.now() >= end:
                why = blocked or "they take long to end"
                raise TransientError(
                    f"draining {host.name}: {left} pods are left: {why}", reason="DrainBlocked", host=host.name, step="drain"
                )
            context.progress(f"draining: {left} pods left")
            await context.clock.sleep(2.0)


def _mark(state: StateRecord, name: str) -> StateRecord:
    row = state.inventory.get(name)
    return state.with_host(replace(row, leaving=True)) if row is not None else state
