"""What one look at a machine shows."""

from __future__ import annotations

from sealcluster.core.facts import EtcdFacts, HostFacts, ManagedFile
from sealcluster.core.ports import FactsQuery
from sealcluster.testing.model import etchosts, paper
from sealcluster.testing.model.fileops import certificate_path
from sealcluster.testing.model.machine import KUBELET_CONF, MANIFESTS, Machine
from sealcluster.testing.model.world import ModelWorld


def look(world: ModelWorld, machine: Machine, query: FactsQuery, observer_now: float) -> HostFacts:
    """All facts of a machine."""
    now = world.now()
    hardware = machine.hardware
    files = machine.managed_files() | {
        path: ManagedFile("", machine.files.sha256(path)) for path in query.files if path not in machine.managed
    }
    return HostFacts(
        machine_id=machine.machine_id,
        hostname=machine.hostname,
        boot_id=machine.boot_id,
        arch=hardware.arch,
        kernel=hardware.kernel,
        os_id=hardware.os_id,
        os_version=hardware.os_version,
        skew=now + machine.skew - observer_now,
        cpus=hardware.cpus,
        memory_mib=hardware.memory_mib,
        swap_mib=hardware.swap_mib,
        cgroup=hardware.cgroup,
        systemd=hardware.systemd,
        ipvs=hardware.ipvs,
        modules_missing=hardware.modules_missing if query.preflight else frozenset(),
        tools_missing=hardware.tools_missing if query.preflight else frozenset(),
        disks=machine.disks(),
        addresses=world.network.addresses_of(machine),
        routes=hardware.routes if query.preflight else (),
        mtu=hardware.mtu,
        listening=world.planes.listening(machine, now),
        answers=frozenset((a, p) for a, p in query.probe if world.planes.connects(machine, a, p, now)),
        nameservers=hardware.nameservers,
        leftovers=machine.leftovers() if query.preflight else (),
        owner=machine.owner,
        fence=machine.fence,
        journal=dict(machine.journal),
        jobs=machine.jobs.facts(),
        parts=frozenset(machine.store) if machine.proven == machine.boots else frozenset(),
        files=files,
        hosts_block=etchosts.block(machine.hosts_text),
        units={name: machine.units.table[name].state for name in query.units if name in machine.units.table},
        kubelet_conf=machine.files.exists(KUBELET_CONF),
        manifests=machine.files.names(MANIFESTS),
        certificates=_certificates(machine) if query.certificates else {},
        etcd=_etcd(world, machine, now) if query.etcd else None,
    )


def _certificates(machine: Machine) -> dict[str, str]:
    found = {}
    for name in (*paper.LEAVES, *paper.FIRST_LEAVES):
        text = machine.files.text(certificate_path(name))
        at = text.find("-----BEGIN CERTIFICATE-----")
        if at >= 0:
            found[name] = text[at:]
    return found


def _etcd(world: ModelWorld, machine: Machine, now: float) -> EtcdFacts | None:
    kube = world.planes.of(machine)
    member_id = world.planes.member_of(machine)
    if kube is None or member_id is None:
        return None
    member = kube.etcd.members.get(member_id)
    if member is None or not world.planes.etcd_runs(machine, member, now):
        return None
    healthy = world.planes.etcd_healthy(machine, kube, now)
    return EtcdFacts(kube.etcd.id, member_id, healthy, kube.etcd.rows() if healthy else ())  # the list is read through the quorum
