"""What /etc/hosts of each machine must say. Pure.

While a worker joins, the control plane's name leads to a healthy master; once its own balancer was seen to answer, to the balancer.
"""

from __future__ import annotations

from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.balancer_choice import HAPROXY, LVSCARE, balancer, balancer_answers


def hosts_entries(view: ClusterView, host: HostView) -> tuple[tuple[str, str], ...]:
    """(address, name) pairs of our block, in order."""
    entries: list[tuple[str, str]] = []
    if view.registry is not None:
        entries.append((view.registry.node_ip, str(view.spec.registry.domain)))
    api = api_address(view, host)
    if api:
        entries.append((api, str(view.spec.endpoint.domain)))
    if not host.master and balancer(view, host) == LVSCARE:
        entries.append((host.node_ip, "lvscare.node.ip"))
    return tuple(entries)


def api_address(view: ClusterView, host: HostView) -> str:
    """Where `spec.endpoint.domain` leads to on this host; empty while no master can be named."""
    if host.master:
        if view.joined(host) or not view.initialized:
            return host.node_ip
        return view.leader.node_ip if view.leader else _previous(view, host)
    kind = balancer(view, host)
    if kind in (LVSCARE, HAPROXY):
        own = str(view.spec.endpoint.vip) if kind == LVSCARE else "127.0.0.1"
        node = view.node(host)
        # a balancer that restarts with a new list of masters is away for a moment: the entry stays while the node is well
        if balancer_answers(view, host) or (node is not None and node.ready and _previous(view, host) == own):
            return own
    if kind == "External":
        return str(view.spec.endpoint.vip)
    if view.leader is not None:
        return view.leader.node_ip
    return _previous(view, host) or (view.masters[0].node_ip if view.masters else "")


def _previous(view: ClusterView, host: HostView) -> str:
    """What the file says now: an API that is away for a moment is no reason to rewrite it."""
    for line in (host.facts.hosts_block or "").splitlines() if host.facts else ():
        fields = line.split()
        if len(fields) == 2 and fields[1] == str(view.spec.endpoint.domain):
            return fields[0]
    return ""


def hosts_block(entries: tuple[tuple[str, str], ...]) -> str:
    """The block's text as `HostFacts.hosts_block` reports it."""
    return "".join(f"{address} {name}\n" for address, name in entries)
