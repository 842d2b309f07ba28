"""Labels and taints of Nodes follow the spec."""

from __future__ import annotations

from sealcluster.core.facts import NodeFacts
from sealcluster.core.plan import Action, PhasePlan
from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.base import Context

Taint = tuple[str, str, str]
MASTER_TAINTS = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")


class NodeSettings:
    """What is set in the spec is set on the Node, what was set and is not any more goes; what others set is left alone.

    The Node itself records what we put there.
    """

    name = "node-settings"
    title = "labelling nodes"

    def plan(self, view: ClusterView) -> PhasePlan:
        """Nodes that differ."""
        actions = []
        done = 0
        for host in view.wanted:
            node = view.node(host)
            if node is None:
                continue
            if _differs(view, host, node):
                actions.append(Action(self.name, "label the node", host.name, "its labels or taints differ"))
            else:
                done += 1
        return PhasePlan(tuple(actions), done=done, total=len(view.wanted))

    async def apply(self, context: Context, view: ClusterView, action: Action) -> None:
        """One patch."""
        host = view.hosts[action.host]
        node = view.node(host)
        assert host.spec is not None and node is not None
        labels: dict[str, str | None] = dict.fromkeys(node.our_labels - host.spec.labels.keys())
        await context.gate.workload.patch_node(host.name, {**labels, **host.spec.labels}, wanted_taints(view, host, node))


def _differs(view: ClusterView, host: HostView, node: NodeFacts) -> bool:
    if host.spec is None:
        return False
    if node.our_labels != host.spec.labels.keys() or any(node.labels.get(k) != v for k, v in host.spec.labels.items()):
        return True
    wanted = wanted_taints(view, host, node)
    if wanted is None:
        return False
    keys = frozenset((key, effect) for key, _, effect in wanted)
    present = {t for t in node.taints if (t[0], t[2]) in keys | (node.our_taints or frozenset()) or t[0] in MASTER_TAINTS}
    return present != set(wanted) or node.our_taints != keys


def wanted_taints(view: ClusterView, host: HostView, node: NodeFacts) -> tuple[Taint, ...] | None:
    """All taints of ours, the master's own included; None where the spec says nothing and we never changed any.

    An empty list means none at all; a list without the master's taint adds to that, as it does when the host joins.
    """
    assert host.spec is not None
    if host.spec.taints is None and node.our_taints is None:
        return None
    own = tuple((t.key, t.value, str(t.effect)) for t in host.spec.taints or ())
    if host.spec.taints == () or not host.spec.is_master or len(view.wanted) == 1:
        return own
    masters = tuple(t for t in node.taints if t[0] in MASTER_TAINTS) or ((MASTER_TAINTS[0], "", "NoSchedule"),)
    return (*(t for t in masters if (t[0], t[2]) not in {(key, effect) for key, _, effect in own}), *own)
