"""From what the engine remembers to the view that phases decide by: everything known now, immutable."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sealcluster.core.view import ClusterView, HostView
from sealcluster.engine.sights import Sight
from sealcluster.engine.steady import steady

if TYPE_CHECKING:
    from sealcluster.engine.memory import Memory


def make_view(memory: Memory, names: Iterable[str], running: frozenset[str]) -> ClusterView:
    """With these hosts. `running`: lanes and keys of the actions under way."""
    hosts = {}
    now = steady()
    for name in names:
        sight = memory.sights.get(name, Sight())
        spec = memory.row(name)
        hosts[name] = HostView(
            name=name,
            spec=spec,
            row=memory.state.inventory.get(name),
            facts=sight.facts,
            error=sight.error,
            host_key=sight.host_key,
            missing_certificates=sight.missing_certificates,
            soonest_expiry=sight.expiry,
            failures=sight.failures,
            unseen=now - sight.lost_at if sight.error is not None else 0.0,
        )
    return ClusterView(
        name=memory.desired.name,
        namespace=memory.desired.namespace,
        generation=memory.desired.generation,
        spec=memory.desired.spec,
        state=memory.state,
        hosts=hosts,
        images=dict(memory.images),
        cluster=memory.cluster,
        pki=memory.pki,
        registry_password=memory.pki.registry_password if memory.pki else "",
        running=running,
        failures=dict(memory.failures),
        now=memory.ports.clock.now(),
        steady=now,
        deleting=memory.desired.deleting,
        drained=frozenset(memory.drained),
        ca_hash=memory.ports.certs.ca_hash(memory.pki) if memory.pki else "",
        config_texts=dict(memory.config_texts),
        kubeconfig=memory.kubeconfig,
        problems=memory.problems,
        annotations=dict(memory.desired.annotations),
    )
