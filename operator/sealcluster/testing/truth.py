"""The judge: what must hold at every step and at the end, read from the model itself and never from what the engine says."""

from __future__ import annotations

from typing import Any

from sealcluster.api import SealClusterSpec
from sealcluster.engine.gate import FENCE
from sealcluster.engine.report import Report
from sealcluster.testing.driver import Simulation
from sealcluster.testing.model import etchosts
from sealcluster.testing.model.machine import MANIFESTS, Machine
from sealcluster.testing.model.world import ModelWorld


def wrong_claims(sim: Simulation, report: Report) -> list[str]:
    """What a report claims although it is not so."""
    if not report.ready:
        return []
    published = sim.management.kubeconfig is not None
    return untrue(sim.world, report.view.spec, report.view.state.cluster_id, published=published)


def untrue(world: ModelWorld, spec: SealClusterSpec, cluster_id: str, *, published: bool) -> list[str]:
    """What "Ready" says of this cluster and is not so. `published`: there is a kubeconfig."""
    kube = world.kube_of(cluster_id)
    if kube is None:
        return ["Ready although no cluster was ever initialised"]
    world.planes.sync_nodes(kube, world.now())
    found = []
    masters = {str(h.name) for h in spec.masters()}
    names = {str(h.name) for h in spec.hosts}
    voters = {m.name for m in kube.etcd.voters()}
    if voters != masters:
        found.append(f"Ready although etcd's voters are {sorted(voters)} and the masters are {sorted(masters)}")
    if set(kube.nodes) != names:
        found.append(f"Ready although the nodes are {sorted(kube.nodes)}, not {sorted(names)}")
    if not kube.cni:
        found.append("Ready although the network application was never applied")
    if not published:
        found.append("Ready although no kubeconfig is published")
    return found


def check(sim: Simulation, report: Report) -> None:
    """Called with every report: turns a wrong claim into a violation of the world."""
    for claim in wrong_claims(sim, report):
        sim.world.violate(claim)
    owners: dict[str, set[str]] = {}
    for machine in sim.world.machines.values():
        if machine.owner is not None:
            owners.setdefault(machine.owner.name, set()).add(machine.owner.cluster_id)
    for name, ids in owners.items():
        if len(ids) > 1:
            sim.world.violate(f"host {name} is in two clusters: {sorted(ids)}")


def verdict(sim: Simulation) -> list[str]:
    """Everything that was violated in this world, and what must hold at its end."""
    found = broken(sim.world)
    if sim.desired is not None and sim.desired.deleting and sim.operators[-1].finished:
        found += [f"{m.name} is not clean: {', '.join(m.leftovers())}" for m in sim.world.machines.values() if m.leftovers()]
        found += [f"{m.name} still belongs to {m.owner.cluster_id}" for m in sim.world.machines.values() if m.owner is not None]
        if sim.management.state is not None or sim.management.pki is not None:
            found.append("the deletion is complete although state or PKI are still stored")
    return list(dict.fromkeys(found))


def broken(world: ModelWorld) -> list[str]:
    """What was violated in this world, whoever ruled it."""
    found = list(world.ledger.violations)
    for cluster, count in world.ledger.init_successes.items():
        if count != 1:
            found.append(f"kubeadm init succeeded {count} times for cluster {cluster}")
    for cluster, authorities in world.ledger.cas.items():
        if len(authorities) > 1:
            found.append(f"cluster {cluster} had {len(authorities)} certificate authorities on its machines")
    return found


def end_state(sim: Simulation) -> dict[str, Any]:
    """What the world looks like once everything is done, without what may differ between runs (keys, ids, times)."""
    return {
        **world_state(sim.world, sim.state_id() if sim.management.state is not None else ""),  # what was deleted has no nodes to compare
        "inventory": sorted(sim.management.history[-1].inventory) if sim.management.state else [],
        "guests": sorted(sim.management.history[-1].guests) if sim.management.state else [],
        "records": (sim.management.state is not None, sim.management.pki is not None, sim.management.kubeconfig is not None),
    }


def world_state(world: ModelWorld, cluster_id: str) -> dict[str, Any]:
    """Machines and this cluster as they really are."""
    kube = world.kube_of(cluster_id)
    if kube is not None:
        world.planes.sync_nodes(kube, world.now())
    return {
        "machines": {name: _machine(machine) for name, machine in sorted(world.machines.items())},
        "nodes": {
            n.name: (n.control_plane, n.ready, n.unschedulable, tuple(sorted(n.labels.items())), tuple(sorted(n.taints)))
            for n in (kube.nodes.values() if kube else ())
        },
        "voters": sorted(m.name for m in kube.etcd.voters()) if kube else [],
        "learners": len(kube.etcd.members) - len(kube.etcd.voters()) if kube else 0,
        "applications": sorted(kube.guests) if kube else [],
    }


def _content(machine: Machine, path: str, digest: str) -> str:
    """A digest, but of what root alone may read: that holds passwords, which are random."""
    entry = machine.files.entries.get(path)
    return "secret" if entry is not None and entry.mode == 0o600 else digest


def _machine(machine: Machine) -> dict[str, Any]:
    return {
        "owner": machine.owner.name if machine.owner else None,
        "units": {name: unit.state for name, unit in sorted(machine.units.table.items())},
        "manifests": sorted(machine.files.names(MANIFESTS)),
        "managed": {path: _content(machine, path, digest) for path, digest in sorted(machine.managed.items())},
        "drift": sorted(p for p, f in machine.managed_files().items() if f.actual != f.recorded),
        "hosts": etchosts.block(machine.hosts_text),
        "images": sorted(machine.images),
        "done": sorted(e.step for e in machine.journal.values() if e.state == "done" and e.step != FENCE),
        "failed": sorted(e.step for e in machine.journal.values() if e.state != "done"),
        "trees": {root: (sorted(t.links), {r: len(b) for r, b in t.repositories.items()}) for root, t in machine.registry.trees.items()},
    }
