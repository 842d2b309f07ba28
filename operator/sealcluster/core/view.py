"""Everything known in one pass, gathered once and immutable; phases only ask it questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sealcluster.api import Host, SealClusterSpec
from sealcluster.core.facts import ClusterFacts, HostFacts, NodeFacts
from sealcluster.core.images import ImageInfo
from sealcluster.core.plan import Failure, Problem
from sealcluster.core.ports import PKI
from sealcluster.core.state import InventoryRow, StateRecord

MAX_SKEW = 30.0
"""Seconds a host's clock may differ from the median of all."""


@dataclass(frozen=True, slots=True)
class HostView:
    """One host: what is wanted (`spec`, None when its row left), what we recorded, what was seen, or why it was not."""

    name: str
    spec: Host | None = None
    row: InventoryRow | None = None
    facts: HostFacts | None = None
    error: Problem | None = None
    host_key: str = ""
    """OpenSSH public key line that the machine showed on this connection."""
    missing_certificates: tuple[str, ...] = ()
    """Leaves that a master must have and that are absent, foreign or lack a name (computed at observation)."""
    soonest_expiry: float | None = None
    failures: int = 0
    """Looks in a row that failed."""
    unseen: float = 0.0
    """Seconds since the first of them."""

    @property
    def roles(self) -> tuple[str, ...]:
        """Roles of the row in the spec, else those recorded."""
        if self.spec is not None:
            return tuple(str(r) for r in self.spec.roles)
        return self.row.roles if self.row else ()

    @property
    def master(self) -> bool:
        """True for a control-plane host."""
        if self.spec is not None:
            return self.spec.is_master
        return self.row is not None and "master" in self.row.roles

    @property
    def was_master(self) -> bool:
        """True for a machine that joined as a control-plane host, whatever its row says now."""
        return "master" in self.row.roles if self.row else self.master

    @property
    def going(self) -> bool:
        """True for a machine of ours that must leave: its row is gone, its role changed, or its leaving has begun."""
        return self.row is not None and (self.spec is None or self.row.leaving or self.master != self.was_master)

    @property
    def address(self) -> str:
        """Where it is reached over SSH."""
        return self.spec.address if self.spec is not None else (self.row.address if self.row else "")

    @property
    def node_ip(self) -> str:
        """Its address inside the cluster."""
        if self.spec is not None:
            return self.spec.node_ip or self.spec.address
        return (self.row.node_ip or self.row.address) if self.row else ""

    def done(self, step: str, digest: str | None = None) -> bool:
        """True when the host's journal says so (False when the host was not seen)."""
        return self.facts is not None and self.facts.done(step, digest)

    def running(self, step: str, digest: str) -> bool:
        """True when this very job runs on the host: whoever comes now waits for it and brings nothing."""
        job = self.facts.jobs.get(step) if self.facts is not None else None
        return job is not None and job.state == "running" and job.digest == digest

    @property
    def claimed(self) -> bool:
        """True when the machine's owner file names a cluster (whose, is checked by preflight)."""
        return self.facts is not None and self.facts.owner is not None


@dataclass(frozen=True)
class ClusterView:
    """The world of one SealCluster in one pass."""

    name: str
    namespace: str
    generation: int
    spec: SealClusterSpec
    state: StateRecord
    hosts: Mapping[str, HostView]
    """In the spec's order; leaving hosts last."""
    images: Mapping[str, tuple[ImageInfo, ...]] = field(default_factory=dict)
    """By architecture, in the spec's order; empty until resolved."""
    cluster: ClusterFacts = field(default_factory=ClusterFacts)
    pki: PKI | None = field(default=None, repr=False)
    registry_password: str = field(default="", repr=False)
    running: frozenset[str] = frozenset()
    """Keys and lanes of the actions that are being carried out."""
    failures: Mapping[str, Failure] = field(default_factory=dict)
    now: float = 0.0
    """Wall clock of the operator: what certificates and machines' clocks are compared with."""
    steady: float = 0.0
    """Seconds that only go forward: what intervals are measured with."""
    deleting: bool = False
    drained: frozenset[str] = frozenset()
    """Leaving nodes that were seen empty."""
    ca_hash: str = ""
    kubeconfig: str | None = field(default=None, repr=False)
    """What `<name>-kubeconfig` holds now."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    config_texts: Mapping[tuple[str, str, str], str] = field(default_factory=dict, repr=False)
    """Texts that rows of `spec.configs` take from a Secret or ConfigMap, by kind, name and key."""
    problems: tuple[Problem, ...] = ()
    """Found while observing, beyond single hosts (PKI missing, pull secret missing, …)."""

    # --- hosts -------------------------------------------------------------------------------------------------
    @cached_property
    def wanted(self) -> tuple[HostView, ...]:
        """Hosts of the spec, in its order; those that must leave before they may come (again) are not among them."""
        return tuple(h for h in self.hosts.values() if h.spec is not None and not h.going and not self._under_another_name(h))

    def _under_another_name(self, host: HostView) -> bool:
        """True for a machine that is still on record as another host, which has to be released first."""
        owner = host.facts.owner if host.facts is not None else None
        return (
            owner is not None
            and owner.cluster_id == self.state.cluster_id
            and owner.name not in ("", host.name)
            and (owner.name in self.state.inventory)
        )

    @cached_property
    def masters(self) -> tuple[HostView, ...]:
        """Wanted control-plane hosts."""
        return tuple(h for h in self.wanted if h.master)

    @cached_property
    def workers(self) -> tuple[HostView, ...]:
        """Wanted hosts that are not masters."""
        return tuple(h for h in self.wanted if not h.master)

    @cached_property
    def leaving(self) -> tuple[HostView, ...]:
        """Hosts that we touched and that are no longer wanted, or not as what they are."""
        return tuple(h for h in self.hosts.values() if h.going)

    @cached_property
    def registry_hosts(self) -> tuple[HostView, ...]:
        """Hosts that serve the cluster's registry: those with the role, else the master on record, else the first that is fit."""
        named = tuple(h for h in self.wanted if "registry" in h.roles)
        if named:
            return named
        recorded = tuple(h for h in self.masters if h.row is not None and h.row.registry)
        claimed = tuple(h for h in self.masters if h.done("claim"))
        fit = tuple(h for h in self.masters if h.facts is not None and not self.failing(h))
        return (recorded or claimed or fit or self.masters)[:1]

    @property
    def registry(self) -> HostView | None:
        """The registry host that names resolve to."""
        return self.registry_hosts[0] if self.registry_hosts else None

    def joined(self, host: HostView) -> bool:
        """True when the machine is part of the cluster by its own journal."""
        if host.facts is None:
            return host.name in self.cluster.nodes
        if self.state.init.initialized and self.state.init.host == host.name and host.done("kubeadm-init"):
            return True
        return host.done("kubeadm-join")

    @cached_property
    def joined_masters(self) -> tuple[HostView, ...]:
        """Masters (wanted or leaving) that are part of the cluster."""
        return tuple(h for h in self.hosts.values() if h.was_master and self.joined(h))

    @cached_property
    def serving_masters(self) -> tuple[HostView, ...]:
        """Joined masters that stay: what balancers lead to."""
        return tuple(h for h in self.joined_masters if not h.going) or self.joined_masters

    @cached_property
    def leader(self) -> HostView | None:
        """A healthy joined master that can be reached: any will do, the spec's order breaks ties."""
        for host in self.serving_masters:
            if host.facts is not None and host.name in self.cluster.ready_masters:
                return host
        return None

    @cached_property
    def init_host(self) -> HostView | None:
        """Where `kubeadm init` runs or ran: the host on record, even while it leaves; before any attempt, the first usable master."""
        if self.state.init.host in self.hosts:
            return self.hosts[self.state.init.host]
        usable = [h for h in self.masters if h.facts is not None and not self.failing(h) and h.done("claim")]
        return usable[0] if usable else None

    def node(self, host: HostView) -> NodeFacts | None:
        """The Node of this host."""
        return self.cluster.nodes.get(host.name)

    @property
    def initialized(self) -> bool:
        """True once `kubeadm init` succeeded (recorded)."""
        return self.state.init.initialized

    # --- images ------------------------------------------------------------------------------------------------
    def images_for(self, host: HostView) -> tuple[ImageInfo, ...]:
        """The resolved images for this host's architecture; empty while unknown."""
        return self.images.get(host.facts.arch, ()) if host.facts is not None else ()

    def rootfs_for(self, host: HostView) -> ImageInfo | None:
        """The rootfs image for this host."""
        return next((i for i in self.images_for(host) if i.type == "rootfs"), None)

    @cached_property
    def any_images(self) -> tuple[ImageInfo, ...]:
        """The images of some architecture, for what is the same in all (names, versions, commands)."""
        return next(iter(self.images.values()), ())

    @cached_property
    def rootfs(self) -> ImageInfo | None:
        """The rootfs image of some architecture."""
        return next((i for i in self.any_images if i.type == "rootfs"), None)

    @property
    def version(self) -> str:
        """Kubernetes version of the cluster, ``v1.34.4``; empty while unknown."""
        return self.rootfs.version if self.rootfs else self.state.version

    def failing(self, host: HostView) -> bool:
        """True when the host cannot be seen or its own actions keep failing: others do not wait for it."""
        if host.error is not None:
            return True
        return host.name in self._failing

    @cached_property
    def _failing(self) -> frozenset[str]:
        return frozenset(f.problem.host for f in self.failures.values() if f.count >= 2 or f.problem.terminal)

    # --- health ------------------------------------------------------------------------------------------------
    @cached_property
    def unsettled(self) -> str:
        """The first thing that is not healthy, for people; empty when all is well."""
        if not self.initialized:
            return "the control plane"
        if not self.cluster.reachable:
            return "an API server"
        for host in self.masters:
            if host.name not in self.cluster.ready_masters:
                return f"the API server on {host.name}"
        for host in self.wanted:
            node = self.node(host)
            if node is None or not node.ready:
                return f"node {host.name} to be Ready"
        return "" if self.cluster.dns_ready else "CoreDNS"

    @property
    def cluster_settled(self) -> bool:
        """True when every wanted node is Ready, every API server answers and DNS works."""
        return not self.unsettled
