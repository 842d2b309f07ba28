"""The processes of the clusters on their machines: who serves an API, which etcd members live, which Nodes are Ready."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sealcluster.testing.model.etcd import Member
from sealcluster.testing.model.kube import NODE_GRACE, ModelKube, ModelNode
from sealcluster.testing.model.machine import ETCD_DATA, KUBELET_CONF, MANIFESTS, PKI, Machine
from sealcluster.testing.model.network import ADDRESS_PORT, Network
from sealcluster.testing.model.pods import StaticPods
from sealcluster.testing.model.timing import Timing

CONTROL_PLANE_MANIFESTS = frozenset({"kube-apiserver.yaml", "kube-controller-manager.yaml", "kube-scheduler.yaml", "etcd.yaml"})
_PATH = re.compile(r"/[\w./-]{4,}")
_SERVER = re.compile(r"server: https://([^:\s]+):(\d+)")


@dataclass
class ControlPlanes:
    """All clusters of the world and the questions that only their processes can answer."""

    network: Network
    pods: StaticPods
    timing: Timing
    by_ca: dict[str, ModelKube] = field(default_factory=dict)

    def of(self, machine: Machine) -> ModelKube | None:
        """The cluster whose CA lies on this machine."""
        ca = machine.files.text(f"{PKI}/ca.crt")
        return self.by_ca.get(ca) if ca else None

    # --- etcd --------------------------------------------------------------------------------------------------
    def member_of(self, machine: Machine) -> str | None:
        """Id of the etcd member whose data lies on this machine."""
        data = machine.files.text(ETCD_DATA)
        return data.partition("/")[2] or None

    def etcd_runs(self, machine: Machine, member: Member, now: float) -> bool:
        """Does this member's process run on this machine, with its own data?"""
        return machine.powered and self.member_of(machine) == member.id and self.pods.answers(machine, "etcd.yaml", now)

    def etcd_healthy(self, machine: Machine, kube: ModelKube, now: float) -> bool:
        """Does the member on this machine answer reads that need a quorum?"""
        member = kube.etcd.members.get(self.member_of(machine) or "")
        if member is None or not self.etcd_runs(machine, member, now):
            return False
        if member.learner or not kube.etcd.quorum():
            return False
        return self._has_majority_path(machine, kube, now)

    def _has_majority_path(self, machine: Machine, kube: ModelKube, now: float) -> bool:
        voters = kube.etcd.voters()
        seen = 0
        for voter in voters:
            other = self.network.named.get(voter.machine)
            if other is not None and self.network.reaches(machine, other) and self.etcd_runs(other, voter, now):
                seen += 1
        return seen > len(voters) // 2

    # --- API servers -------------------------------------------------------------------------------------------
    def api_up(self, machine: Machine | None, kube: ModelKube, now: float) -> bool:
        """Does the API server on this machine answer /readyz for this cluster?"""
        if machine is None or self.of(machine) is not kube:
            return False
        return self.pods.answers(machine, "kube-apiserver.yaml", now) and self.etcd_healthy(machine, kube, now)

    def api_machines(self, kube: ModelKube, now: float) -> list[Machine]:
        """Machines whose API server answers."""
        return [m for m in self.network.named.values() if self.api_up(m, kube, now)]

    def api_at(self, source: Machine, name: str, port: int, kube: ModelKube, now: float) -> bool:
        """Would a client on this machine that dials ``https://name:port`` reach this cluster's API?"""
        address = self.network.resolve(source, name)
        return address is not None and self._api_at_address(source, address, port, kube, now)

    def _api_at_address(self, source: Machine, address: str, port: int, kube: ModelKube, now: float) -> bool:
        target = self.network.target(source, address)
        if target is not None and port == kube.port and self.api_up(target, kube, now):
            return True
        behind = self.network.external.get(address, ()) or self.balanced(source, address, port, now)
        return any(a != address and self.api_up(self.network.target(source, a), kube, now) for a in behind)

    def balanced(self, machine: Machine, address: str, port: int, now: float) -> tuple[str, ...]:
        """Addresses behind a load balancer that a static pod serves on this machine at this address."""
        found: list[str] = []
        for manifest in sorted(machine.files.names(MANIFESTS) - CONTROL_PLANE_MANIFESTS):
            if not self.pods.answers(machine, manifest, now):
                continue
            text = machine.files.text(f"{MANIFESTS}/{manifest}")
            text += "".join(machine.files.text(path) for path in sorted(set(_PATH.findall(text))))
            if address in text:
                found += [backend for backend, _port in ADDRESS_PORT.findall(text) if backend != address]
        return tuple(found)

    def listening(self, machine: Machine, now: float) -> frozenset[int]:
        """Ports that answer on this machine."""
        ports = {machine.port, *machine.hardware.busy_ports}
        kube = self.of(machine)
        if machine.units.active("kubelet"):
            ports.add(10250)
        if machine.units.active("registry"):
            ports.add(machine.registry.port)
        if kube is not None and self.pods.answers(machine, "kube-apiserver.yaml", now):
            ports.add(kube.port)
        if self.pods.answers(machine, "etcd.yaml", now):
            ports |= {2379, 2380}
        return frozenset(ports)

    def connects(self, machine: Machine, address: str, port: int, now: float) -> bool:
        """Would a TCP connection from this machine to that address be accepted?"""
        target = self.network.target(machine, address)
        if target is not None:
            return port in self.listening(target, now)
        kube = self.of(machine)
        return kube is not None and self._api_at_address(machine, address, port, kube, now)

    # --- Nodes -------------------------------------------------------------------------------------------------
    def sync_nodes(self, kube: ModelKube, now: float) -> None:
        """Bring every Node's readiness up to date."""
        machines = self.network.named
        for node in kube.nodes.values():
            self._sync_node(node, machines.get(node.machine), kube, now)

    def _sync_node(self, node: ModelNode, machine: Machine | None, kube: ModelKube, now: float) -> None:
        beats = machine is not None and self._kubelet_beats(machine, kube, now)
        if beats:
            node.seen_at = now
            node.version = kube.version
        if not beats and now - node.seen_at > NODE_GRACE:
            node.ready, node.healthy_since, node.message = False, None, "Kubelet stopped posting node status."
        elif beats and not kube.cni:
            node.ready, node.healthy_since = False, None
            node.message = "container runtime network not ready: cni plugin not initialized"
        elif beats and node.healthy_since is None:
            node.healthy_since = now
            node.ready_delay = self.timing.sample("node-ready", node.name)
        if node.healthy_since is not None and beats and now - node.healthy_since >= node.ready_delay:
            node.ready, node.message = True, "kubelet is posting ready status"

    def _kubelet_beats(self, machine: Machine, kube: ModelKube, now: float) -> bool:
        if not (machine.powered and machine.units.active("kubelet") and machine.units.active("containerd")):
            return False
        server = _SERVER.search(machine.files.text(KUBELET_CONF))
        if server is None or self.of(machine) is not kube:
            return False
        return self.api_at(machine, server.group(1), int(server.group(2)), kube, now)
