"""A host leaves: cordon, drain, let go of it (balancers, registry, etcd), clean, verify from outside, forget.

A machine that is gone for ever is released only when a person names it; its etcd member and its Node go all the same. Until the
first of these steps begins, putting the row back costs nothing; from then on the machine leaves even if its row comes back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sealcluster.api import duration
from sealcluster.core.errors import TerminalError, TransientError
from sealcluster.core.plan import Action, PhasePlan, Problem
from sealcluster.core.quorum import etcd_state, may_remove
from sealcluster.core.state import StateRecord
from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.base import Context
from sealcluster.phases.init_control_plane import STEP as INIT_STEP
from sealcluster.phases.init_control_plane import init_digest
from sealcluster.phases.letting_go import replacement, still_held
from sealcluster.phases.releasing import (
    CHANGES_MASTERS,
    PATIENCE,
    REMOVE,
    acknowledged,
    clean_job,
    free_of_changes,
    lost,
    member_of,
    not_clean,
    ours,
    out_of_reach,
    under_way,
)
from sealcluster.phases.turn import out_of_sight, remove_member, wait_for

MARK, CORDON, DRAIN, CLEAN, NODE, FORGET = (
    "begin to release",
    "cordon",
    "drain",
    "clean the machine",
    "delete its Node",
    "release",
)
API = "a master whose API server answers"
DRAIN_LOOK = 2.0
"""Seconds between two looks at a node that is drained."""
DRAIN_ROUND = 40.0
"""Seconds after which a drain that does not get on says why."""
DRAIN_PAUSE = 20.0
"""Seconds until it is tried again (see engine.retry)."""


@dataclass(frozen=True, slots=True)
class Step:
    """The next thing to do about one leaving host, what it needs, on which machine it runs; or why nothing can be done."""

    what: str = ""
    needs: str = ""
    on: str = ""
    """Empty: the leaving host's own lane."""
    problem: Problem | None = None


class Leave:
    """Hosts whose row left the spec, or whose role changed."""

    name = "leave"
    title = "releasing machines"

    def plan(self, view: ClusterView) -> PhasePlan:
        """The next step of each leaving host; etcd members one at a time."""
        actions: list[Action] = []
        problems: list[Problem] = []
        budget = self._budget(view)
        for host in view.leaving:
            gone = out_of_reach(host) and acknowledged(view, host)
            if out_of_reach(host) and not gone:
                problems.append(lost(view, host, self.name))
                continue
            if host.facts is None and not gone:
                continue
            step = self._step(view, host, gone=gone)
            if step.problem is not None:
                problems.append(step.problem)
                continue
            needs = step.needs
            if step.what in (MARK, CORDON, DRAIN) and not needs and view.node(host) is not None and not gone:
                budget -= 1
                needs = "" if budget >= 0 else "other machines to be drained first"
            if step.what.startswith(REMOVE) and not needs:
                needs = self._turn(view, host, actions, f"{self.name}/{step.on}/{step.what}")
            why = (
                "its row left the spec" if host.spec is None else "its role changed" if host.master != host.was_master else "it was removed"
            )
            actions.append(Action(self.name, step.what, step.on or host.name, why, needs, disruptive=True, watch=(host.name,),
                                  args={"leaving": host.name}, step="clean" if step.what == CLEAN else ""))  # fmt: skip
        return PhasePlan(tuple(actions), tuple(problems), done=0, total=len(view.leaving))

    @staticmethod
    def _budget(view: ClusterView) -> int:
        value = view.spec.rollout.max_unavailable
        if isinstance(value, int):
            return value
        return max(1, len(view.workers) * int(str(value).rstrip("%")) // 100)

    @staticmethod
    def _turn(view: ClusterView, host: HostView, actions: list[Action], mine: str) -> str:
        """etcd's membership changes one at a time: by us here, by a join of ours, or by a join that an earlier operator began."""
        if any(a.what.startswith(REMOVE) and not a.needs for a in actions):
            return "another etcd member to be removed first"
        for key in view.running:
            if (key.startswith("join-masters/") or f"/{REMOVE}" in key) and key != mine:
                return "another change of etcd to end"
        busy = next((h.name for h in view.hosts.values() if h.master and under_way(h, *CHANGES_MASTERS)), "")
        if busy:
            return f"the change of etcd on {busy} to end"
        hidden = out_of_sight(view)
        return wait_for(hidden) if hidden and hidden != host.name else ""

    def _step(self, view: ClusterView, host: HostView, *, gone: bool) -> Step:
        assert host.row is not None
        waits = self._blind(view, host)
        if waits:
            return Step(CLEAN if host.row.leaving else MARK, waits)
        member = member_of(view, host)
        if member is not None and view.initialized:
            refusal = may_remove(etcd_state(view), member.name)
            if refusal:
                return Step(problem=self._refused(view, host, refusal))
        if not gone and ours(view, host):
            return self._alive(view, host, member_id=member.id if member else "")
        if not host.row.leaving:
            return Step(MARK)
        if member is not None and view.initialized:
            return self._etcd(view, host)
        if view.node(host) is not None:
            return Step(NODE)
        problem = None if gone else not_clean(host, self.name)
        job = "" if gone else under_way(host)
        return Step(FORGET, f"its job {job} to end" if job else "", problem=problem)

    def _alive(self, view: ClusterView, host: HostView, member_id: str) -> Step:
        """The machine answers and is ours."""
        assert host.row is not None
        waits = self._initialising(view, host) or replacement(view, host)
        if waits:
            return Step(CLEAN if host.row.leaving else MARK, waits)
        if not host.row.leaving:
            return Step(MARK)
        node = view.node(host)
        if node is not None and not node.unschedulable:
            return Step(CORDON)
        if node is not None and host.name not in view.drained:
            return Step(DRAIN)
        waits = still_held(view, host)
        if waits:
            return Step(CLEAN, waits)
        job = under_way(host, *CHANGES_MASTERS) if host.was_master else ""
        if job and view.initialized:
            return Step(CLEAN, f"its job {job} to end")
        return self._etcd(view, host) if member_id and view.initialized else Step(CLEAN)

    @staticmethod
    def _initialising(view: ClusterView, host: HostView) -> str:
        """A cluster that is just being born is not undone: it is recorded, then others join, then this master goes."""
        record = view.state.init
        if view.initialized or record.host != host.name:
            return ""
        if under_way(host, INIT_STEP):
            return "kubeadm init to end"
        return "the new cluster to be recorded" if host.done(INIT_STEP, init_digest(view.state.cluster_id, record.attempt)) else ""

    @staticmethod
    def _etcd(view: ClusterView, host: HostView) -> Step:
        assert view.leader is not None
        return Step(f"{REMOVE} {host.name}", on=view.leader.name)

    @staticmethod
    def _blind(view: ClusterView, host: HostView) -> str:
        """Nothing leaves a cluster whose state cannot be seen: its pods, its Node and its etcd member would stay behind."""
        if not view.initialized:
            return ""
        if view.leader is None or not view.cluster.reachable:
            return API
        return "etcd to answer" if host.was_master and not etcd_state(view).voters else ""

    def _refused(self, view: ClusterView, host: HostView, refusal: str) -> Problem:
        """A member that is only rebooting is no matter for a person."""
        etcd = etcd_state(view)
        sick = [view.hosts.get(m.name) for m in etcd.voters if m.name not in etcd.healthy]
        passing = bool(sick) and all(h is not None and h.failures < PATIENCE for h in sick)
        return Problem("QuorumAtRisk", refusal, host.name, self.name, "add or repair a master first", terminal=not passing)

    async def apply(self, context: Context, view: ClusterView, action: Action) -> None:
        """One step."""
        host = view.hosts[action.args["leaving"]]
        gate = context.gate
        if action.what == MARK:
            await gate.update_state(lambda s: _mark(s, host.name))
        elif action.what == CORDON:
            await gate.workload.set_unschedulable(host.name, value=True)
        elif action.what == DRAIN:
            await self._drain(context, view, host, action)
        elif action.what.startswith(REMOVE):
            if ours(view, host):
                await free_of_changes(context, host)
            await remove_member(context, view, host, on=action.host)
        elif action.what == CLEAN:
            await gate.run(host.name, clean_job(view, host), reason="HostNotClean")
        elif action.what == NODE:
            node = view.node(host)
            if node is not None:
                await gate.workload.delete_node(node.name, node.uid)
        else:
            await gate.forget_host(host.name)

    async def _drain(self, context: Context, view: ClusterView, host: HostView, action: Action) -> None:
        """One round of at most DRAIN_ROUND seconds; what blocks it is named, and after spec.rollout.drain.timeout a person is asked."""
        node = view.node(host)
        waited = 0.0  # counted, not compared with a clock: that may jump
        rules = view.spec.rollout.drain
        while True:
            left, blocked = await context.gate.workload.evict_pods(host.name, force=rules.force, empty_dir=rules.delete_empty_dir_data)
            if left == 0 or (not blocked and node is not None and not node.ready):
                # Nobody tells the API of pods that ended on a node whose kubelet is away: cleaning ends them.
                context.remember_drained(host.name)
                return
            if waited >= DRAIN_ROUND:
                break
            context.progress(f"draining: {left} pods left{': ' + blocked if blocked else ''}")
            await context.clock.sleep(DRAIN_LOOK)
            waited += DRAIN_LOOK
        why = blocked or "they take long to end"
        before = view.failures.get(action.key)
        took = ((before.count if before else 0) + 1) * (DRAIN_ROUND + DRAIN_PAUSE)
        kind = TerminalError if took >= duration(view.spec.rollout.drain.timeout).total_seconds() else TransientError
        raise kind(f"draining {host.name}: {left} pods are left: {why}", reason="DrainBlocked", host=host.name, step="drain")


def _mark(state: StateRecord, name: str) -> StateRecord:
    row = state.inventory.get(name)
    return state.with_host(replace(row, leaving=True)) if row is not None else state
