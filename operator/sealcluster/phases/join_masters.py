"""Masters join one at a time, each only while etcd can bear it."""

from __future__ import annotations

from sealcluster.core.plan import Action, PhasePlan
from sealcluster.core.quorum import etcd_state, may_add, may_remove
from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.base import Context
from sealcluster.phases.bootstrap import bootstrapped
from sealcluster.phases.certificates import certificates_ready
from sealcluster.phases.join import JOIN, RESET, STEP, join, next_step, step_of, undo, undoing
from sealcluster.phases.releasing import ETCD_STEP, REMOVE, dead_members, free_of_changes, member_of, under_way
from sealcluster.phases.turn import out_of_sight, remove_member, turn_of, wait_for

DROP = "remove the stale etcd member of"


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
        turn_taken = next((h.name for h in missing if self._joining(view, h)), "")
        hidden = out_of_sight(view)
        removing = next((h.name for h in view.hosts.values() if under_way(h, ETCD_STEP)), "")
        for host in missing:
            if host.facts is None or not host.done("claim"):
                continue
            what, needs = self._step(view, host)
            watch = (host.name, *(h.name for h in view.joined_masters))
            if not needs and turn_taken not in ("", host.name) and what != RESET:
                needs, watch = f"{turn_taken} to join first", ()  # the end of that join is looked after anyway
            elif not needs and what != RESET and hidden:
                needs, watch = wait_for(hidden), ()
            elif not needs and what != RESET and removing:
                needs, watch = f"the change of etcd on {removing} to end", (removing,)
            elif not needs and what != RESET and not self._waits(view, host):
                turn_taken = host.name
            on, args, undoes = host.name, {"joining": host.name}, undoing(self.name, host.name, what)
            if what == DROP:
                what = f"{DROP} {host.name}"
                on = view.leader.name if view.leader is not None else host.name
            actions.append(
                Action(
                    self.name,
                    what,
                    on,
                    "it is not part of the control plane",
                    needs,
                    watch=watch,
                    args=args,
                    step=step_of(what),
                    undoes=undoes,
                )
            )
        return PhasePlan(tuple(actions), done=len(joined), total=total)

    def _waits(self, view: ClusterView, host: HostView) -> bool:
        """True while a join of this host that failed is not to be tried again yet: the next master may come first."""
        failed = view.failures.get(f"{self.name}/{host.name}/{JOIN}")
        return failed is not None and view.steady < failed.retry_at

    def _joining(self, view: ClusterView, host: HostView) -> bool:
        """True while a join of this host runs: by an action of ours, or on the machine since an earlier operator."""
        return f"{self.name}/{host.name}/{JOIN}" in view.running or bool(under_way(host, STEP))

    def _step(self, view: ClusterView, host: HostView) -> tuple[str, str]:
        if f"{self.name}/{host.name}/{JOIN}" in view.running:
            return JOIN, ""
        what = next_step(view, host)
        if what == RESET:
            return self._undo(view, host)
        if under_way(host, STEP):
            return what, ""
        dead = dead_members(view)
        if dead:
            return what, f"the etcd member of {dead[0].name} to be removed first"
        etcd = etcd_state(view)
        if member_of(view, host) is not None:
            return DROP, "" if view.leader else "a master whose API server answers"
        if any(f"/{REMOVE} " in key for key in view.running):
            return what, "another change of etcd to end"
        if not bootstrapped(view, host):
            return what, "its bootstrap"
        if not certificates_ready(view, host):
            return what, "its certificates"
        if not host.done("pull") and not any(k.startswith(f"pull-container-images/{host.name}/") for k in view.failures):
            return what, "its container images"
        if view.leader is None:
            return what, "a master whose API server answers"
        unready = [h.name for h in view.serving_masters if h.name not in view.cluster.ready_masters and not view.failing(h)]
        if unready:
            return what, f"the API server on {unready[0]}"
        return what, may_add(etcd)

    @staticmethod
    def _undo(view: ClusterView, host: HostView) -> tuple[str, str]:
        """A join that was cut off may have made the machine a voter: its data are not wiped before its vote was given back in order."""
        etcd = etcd_state(view)
        if not etcd.voters:
            return RESET, "etcd to answer"
        member = member_of(view, host)
        if member is None or member.learner:
            return RESET, ""
        return DROP, may_remove(etcd, member.name) or ("" if view.leader else "a master whose API server answers")

    async def apply(self, context: Context, view: ClusterView, action: Action) -> None:
        """Undo, drop a stale member, or join."""
        host = view.hosts[action.args["joining"]]
        if action.what == RESET:
            await undo(context, view, host)
        elif action.what.startswith(DROP):
            await free_of_changes(context, host)
            await remove_member(context, view, host, on=action.host)
        else:
            async with turn_of(context, host.name):
                await join(context, view, host)
