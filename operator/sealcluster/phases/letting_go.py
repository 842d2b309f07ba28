"""What must happen elsewhere before a healthy machine may go: others take its place, balancers and names lead away from it. Pure."""

from __future__ import annotations

from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.balancer_choice import EXTERNAL, balancer, balancer_answers
from sealcluster.phases.distribute import registry_serves
from sealcluster.phases.hosts_file import hosts_block, hosts_entries
from sealcluster.phases.load_balancer import balancer_written
from sealcluster.phases.registry import tree_ready


def replacement(view: ClusterView, host: HostView) -> str:
    """A healthy master waits until those that are to come have joined: a wish is a swap, not a gap.

    Masters that leave themselves (to come back, or with another role) are not waited for, nor is this very machine under a new name.
    """
    if not host.was_master or not view.initialized or host.row is None:
        return ""
    for other in view.hosts.values():
        if other.spec is None or not other.master or (other.going and other.was_master) or other.name == host.name:
            continue
        same = other.facts is not None and other.facts.machine_id == host.row.machine_id
        if not same and (other.going or not view.joined(other)):
            return f"{other.name} to join first"
    return ""


def still_held(view: ClusterView, host: HostView) -> str:
    """Who still relies on this master or registry; empty: nobody. Machines that cannot be worked on are not waited for."""
    others = [h for h in view.wanted if h.facts is not None and not view.failing(h)]
    if host.was_master:
        for worker in others:
            if worker.master or not view.joined(worker) or balancer(view, worker) == EXTERNAL or not view.images_for(worker):
                continue
            if not balancer_written(view, worker) or not balancer_answers(view, worker):
                return f"the balancer on {worker.name} to let go of it"
    if host.done("registry"):
        registry = view.registry
        if registry is not None and not (registry_serves(view, registry) and tree_ready(view, registry)):
            return f"the registry on {registry.name}"
        for other in others:
            if view.images_for(other) and other.done("claim") and not _named(view, other):
                return f"the registry's name on {other.name}"
    return ""


def _named(view: ClusterView, host: HostView) -> bool:
    assert host.facts is not None
    return host.facts.hosts_block == hosts_block(hosts_entries(view, host))
