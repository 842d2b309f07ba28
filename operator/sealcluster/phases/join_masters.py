"""Masters join one at a time, each only while etcd can bear it."""

from __future__ import annotations

from sealcluster.core.digest import digest
from sealcluster.core.ops import EtcdMember, Job
from sealcluster.core.plan import Action, PhasePlan
from sealcluster.core.quorum import etcd_state, may_add
from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.base import Context
from sealcluster.phases.bootstrap import bootstrapped
from sealcluster.phases.certificates import certificates_ready
from sealcluster.phases.join import JOIN, RESET, join, next_step, undo

DROP = "remove its stale etcd member"


class JoinMasters:
    """Serial and learner-aware."""

    name = "join-masters"
    title = "joining masters"

    def plan(self, view: ClusterView) -> PhasePlan:
        """The first master that can join; the others wait for it."""
        total = len(view.masters)
        joined = [h for h in view.masters if view.joined(h)]
        missing = [h for h in view.masters if not view.joined(h) and h.name != (view.state.init.host if not view.initialized else "")]
        if not view.initialized:
            early = tuple(
                Action(self.name, JOIN, h.name, "it is not part of the control plane", "the control plane")
                for h in missing
                if h.done("claim")
            )
            return PhasePlan(early, done=len(joined), total=total)
        actions = []
        turn_taken = ""
        for host in missing:
            if host.facts is None or not host.done("claim"):
                continue
            what, needs = self._step(view, host)
            if not needs and turn_taken and what != RESET:
                needs = f"{turn_taken} to join first"
            elif not needs and what != RESET:
                turn_taken = host.name
            watch = tuple(h.name for h in view.joined_masters)
            actions.append(Action(self.name, what, host.name, "it is not part of the control plane", needs, watch=watch))
        return PhasePlan(tuple(actions), done=len(joined), total=total)

    def _step(self, view: ClusterView, host: HostView) -> tuple[str, str]:
        what = next_step(view, host)
        if what == RESET:
            return what, ""
        running = host.facts is not None and "kubeadm-join" in host.facts.jobs
        if running:
            return what, ""
        etcd = etcd_state(view)
        if etcd.member(host.name) is not None:
            return DROP, "" if view.leader else "a master whose API server answers"
        if not bootstrapped(view, host):
            return what, "its bootstrap"
        if not certificates_ready(view, host):
            return what, "its certificates"
        if not host.done("pull") and not any(k.startswith(f"pull-container-images/{host.name}/") for k in view.failures):
            return what, "its container images"
        if view.leader is None:
            return what, "a master whose API server answers"
        unready = [h.name for h in view.joined_masters if h.name not in view.cluster.ready_masters and not view.failing(h)]
        if unready:
            return what, f"the API server on {unready[0]}"
        return what, may_add(etcd)

    async def apply(self, context: Context, view: ClusterView, action: Action) -> None:
        """Undo, drop a stale member, or join."""
        host = view.hosts[action.host]
        if action.what == RESET:
            await undo(context, view, host)
        elif action.what == DROP:
            member = etcd_state(view).member(host.name)
            if member is not None and view.leader is not None:
                job = Job("etcd-member", digest("remove", member.id), EtcdMember("remove", member.id), timeout=120)
                await context.gate.run(view.leader.name, job, reason="EtcdUnhealthy")
        else:
            await join(context, view, host)
