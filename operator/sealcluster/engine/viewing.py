"""From what the engine remembers to the view that phases decide by: everything known now, immutable."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from sealcluster.core.facts import HostFacts
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
            facts=_what_counts(memory, name, sight),
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


def _what_counts(memory: Memory, name: str, sight: Sight) -> HostFacts | None:
    """Nothing that was seen at another place than where the host is wanted now; nothing that was done there for another cluster."""
    facts = sight.facts
    if facts is None or sight.seen_at != _place(memory, name):
        return None
    if facts.owner is not None and facts.owner.cluster_id != memory.state.cluster_id:
        return replace(facts, journal={}, jobs={}, etcd=None, certificates={}, parts=frozenset())
    return facts


def _place(memory: Memory, name: str) -> tuple[str, int]:
    spec, row = memory.row(name), memory.state.inventory.get(name)
    if spec is not None:
        return str(spec.address), int(spec.port or memory.desired.spec.ssh.port)
    return (row.address, row.port) if row is not None else ("", 0)
