"""One Kubernetes cluster as its own API tells it: nodes, bootstrap tokens, add-ons. Where its processes run is `controlplane`."""

from __future__ import annotations

from dataclasses import dataclass, field

from sealcluster.testing.model.etcd import EtcdCluster

Taint = tuple[str, str, str]
CONTROL_PLANE_TAINT: Taint = ("node-role.kubernetes.io/control-plane", "", "NoSchedule")
NODE_GRACE = 40.0
"""Seconds without a heartbeat until a Node is NotReady."""


@dataclass
class ModelNode:
    """A Node object."""

    name: str
    uid: str
    machine: str
    address: str
    version: str
    control_plane: bool
    unschedulable: bool = False
    labels: dict[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    our_labels: frozenset[str] = frozenset()
    our_taints: frozenset[tuple[str, str]] | None = None
    healthy_since: float | None = None
    """Since when its kubelet is well without a break; None: it is not."""
    seen_at: float = 0.0
    """Last heartbeat."""
    ready_delay: float = 0.0
    ready: bool = False
    message: str = "container runtime network not ready: cni plugin not initialized"
    pods: int = 0
    """Pods that an eviction must remove."""


@dataclass
class ModelKube:
    """The content of one cluster's etcd."""

    owner: str
    """Cluster id of the machine's owner file at the time of `kubeadm init`."""
    ca: str
    """PEM of its CA: what tells clusters apart."""
    domain: str
    port: int
    version: str
    etcd: EtcdCluster
    nodes: dict[str, ModelNode] = field(default_factory=dict)
    tokens: dict[str, float] = field(default_factory=dict)
    """Bootstrap token to expiry (true time)."""
    configured: bool = False
    """True once kubeadm uploaded its configuration: nothing can join before."""
    cni: bool = False
    guests: set[str] = field(default_factory=set)
    """Applications that were applied."""
    blocked_evictions: dict[str, str] = field(default_factory=dict)
    """Node name to why a disruption budget refuses."""
    _uids: int = 0

    def add_node(self, name: str, machine: str, address: str, *, control_plane: bool, taints: tuple[Taint, ...]) -> ModelNode:
        """Register a Node; an existing one of that name is taken over by the kubelet that says it is it."""
        node = self.nodes.get(name)
        if node is None:
            self._uids += 1
            node = ModelNode(name, f"uid-{self.etcd.id[:8]}-{self._uids}", machine, address, self.version, control_plane, taints=taints)
            self.nodes[name] = node
        node.machine, node.address = machine, address
        node.control_plane = node.control_plane or control_plane
        return node

    def token_valid(self, token: str, now: float) -> bool:
        """Would the API accept this bootstrap token?"""
        return self.tokens.get(token, 0.0) > now
