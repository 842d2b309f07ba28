"""Labels and taints of Nodes follow the spec."""

from __future__ import annotations

from sealcluster.core.plan import Action, PhasePlan
from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.base import Context


class NodeSettings:
    """What is set in the spec is set on the Node; what others set is left alone."""

    name = "node-settings"
    title = "labelling nodes"

    def plan(self, view: ClusterView) -> PhasePlan:
        """Nodes that differ."""
        actions = []
        done = 0
        for host in view.wanted:
            if view.node(host) is None:
                continue
            if self._missing(view, host):
                actions.append(Action(self.name, "label the node", host.name, "its labels or taints differ"))
            else:
                done += 1
        return PhasePlan(tuple(actions), done=done, total=len(view.wanted))

    @staticmethod
    def _missing(view: ClusterView, host: HostView) -> bool:
        node = view.node(host)
        if node is None or host.spec is None:
            return False
        if any(node.labels.get(k) != v for k, v in host.spec.labels.items()):
            return True
        if host.spec.taints is None:
            return False
        wanted = {(t.key, t.value, str(t.effect)) for t in host.spec.taints}
        return not wanted <= set(node.taints)

    async def apply(self, context: Context, view: ClusterView, action: Action) -> None:
        """One patch."""
        host = view.hosts[action.host]
        node = view.node(host)
        assert host.spec is not None and node is not None
        taints = None
        if host.spec.taints is not None:
            wanted = [(t.key, t.value, str(t.effect)) for t in host.spec.taints]
            keys = {(k, e) for k, _, e in wanted}
            taints = [t for t in node.taints if (t[0], t[2]) not in keys] + wanted
        await context.gate.workload.patch_node(host.name, dict(host.spec.labels), taints)
