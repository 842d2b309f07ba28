"""Workers join in parallel, as soon as one master answers."""

from __future__ import annotations

from sealcluster.core.plan import Action, PhasePlan
from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.base import Context
from sealcluster.phases.bootstrap import bootstrapped
from sealcluster.phases.hosts_file import hosts_block, hosts_entries
from sealcluster.phases.join import JOIN, RESET, STEP, join, next_step, step_of, undo, undoing
from sealcluster.phases.releasing import under_way


class JoinNodes:
    """Workers."""

    name = "join-nodes"
    title = "joining workers"

    def plan(self, view: ClusterView) -> PhasePlan:
        """Every worker that is not part of the cluster."""
        actions = []
        done = 0
        for host in view.workers:
            if view.joined(host):
                done += 1
            elif host.facts is not None and host.done("claim"):
                what = next_step(view, host)
                actions.append(
                    Action(
                        self.name,
                        what,
                        host.name,
                        "it is not part of the cluster",
                        "" if what == RESET else self._needs(view, host),
                        step=step_of(what),
                        undoes=undoing(self.name, host.name, what),
                    )
                )
        return PhasePlan(tuple(actions), done=done, total=len(view.workers))

    @staticmethod
    def _needs(view: ClusterView, host: HostView) -> str:
        assert host.facts is not None
        if under_way(host, STEP):
            return ""
        if not view.initialized or view.leader is None:
            return "a master whose API server answers"
        if not bootstrapped(view, host):
            return "its bootstrap"
        if host.facts.hosts_block != hosts_block(hosts_entries(view, host)):
            return "its entries in /etc/hosts"
        if not host.done("pull") and not any(k.startswith(f"pull-container-images/{host.name}/") for k in view.failures):
            return "its container images"
        return ""

    async def apply(self, context: Context, view: ClusterView, action: Action) -> None:
        """Undo or join."""
        host = view.hosts[action.host]
        if action.what == JOIN:
            await join(context, view, host)
        else:
            await undo(context, view, host)
