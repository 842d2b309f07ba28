"""What /etc/hosts of each machine must say. Pure.

While a worker joins, the control plane's name leads to a healthy master; once its own balancer was seen to answer, to the balancer.
"""

from __future__ import annotations

from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.balancer_choice import HAPROXY, LVSCARE, balancer, balancer_answers
from sealcluster.phases.distribute import registry_serves
from sealcluster.phases.registry import tree_ready

RESTART = 120.0
"""Seconds that kubelet may take to restart a balancer's pod before the balancer counts as down."""


def hosts_entries(view: ClusterView, host: HostView) -> tuple[tuple[str, str], ...]:
    """(address, name) pairs of our block, in order."""
    entries: list[tuple[str, str]] = []
    if view.registry is not None:
        entries.append((registry_address(view, host, view.registry), str(view.spec.registry.domain)))
    api = api_address(view, host)
    if api:
        entries.append((api, str(view.spec.endpoint.domain)))
    if not host.master and balancer(view, host) == LVSCARE:
        entries.append((host.node_ip, "lvscare.node.ip"))
    return tuple(entries)


def registry_address(view: ClusterView, host: HostView, registry: HostView) -> str:
    """Where `spec.registry.domain` leads to on this host: to the old registry until the new one holds everything."""
    previous = _previous(host, str(view.spec.registry.domain))
    if previous not in ("", registry.node_ip) and not (registry_serves(view, registry) and tree_ready(view, registry)):
        return previous
    return registry.node_ip


def api_address(view: ClusterView, host: HostView) -> str:
    """Where `spec.endpoint.domain` leads to on this host; empty while no master can be named."""
    if host.master:
        if view.joined(host) or not view.initialized:
            return host.node_ip
        return view.leader.node_ip if view.leader else _previous(host, str(view.spec.endpoint.domain))
    kind = balancer(view, host)
    if kind in (LVSCARE, HAPROXY):
        own = str(view.spec.endpoint.vip) if kind == LVSCARE else "127.0.0.1"
        led = _previous(host, str(view.spec.endpoint.domain)) == own
        if balancer_answers(view, host) or (led and _balancer_comes_back(view, host)):
            return own
    if kind == "External":
        return str(view.spec.endpoint.vip)
    if view.leader is not None:
        return view.leader.node_ip
    return _previous(host, str(view.spec.endpoint.domain)) or (view.masters[0].node_ip if view.masters else "")


def _balancer_comes_back(view: ClusterView, host: HostView) -> bool:
    """True while a balancer that is silent may just be starting again with a new list of masters, or the node is well all the same.

    Nodes are not Ready before the network application runs, so the time of the last rewriting counts too, by the machine's own clock.
    """
    node = view.node(host)
    if node is not None and node.ready:
        return True
    if host.facts is None or not view.joined(host):
        return False
    written = host.facts.journal.get("load-balancer")
    return written is not None and abs(view.now + host.facts.skew - written.time) < RESTART


def _previous(host: HostView, name: str) -> str:
    """What the file says now: an API that is away for a moment is no reason to rewrite it."""
    for line in (host.facts.hosts_block or "").splitlines() if host.facts else ():
        fields = line.split()
        if len(fields) == 2 and fields[1] == name:
            return fields[0]
    return ""


def hosts_block(entries: tuple[tuple[str, str], ...]) -> str:
    """The block's text as `HostFacts.hosts_block` reports it."""
    return "".join(f"{address} {name}\n" for address, name in entries)
