"""What one look at a machine tells: plain values, gathered by one script in one round trip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Owner:
    """Which cluster a machine belongs to (`/var/lib/sealcluster/owner`)."""

    cluster_id: str
    name: str
    """The host's name in that cluster."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """The last thing the host's journal says of a step."""

    step: str
    digest: str
    attempt: int
    state: str
    """``started``, ``done``, ``failed``, or ``undone``."""
    rc: int | None = None
    time: float = 0.0
    """Seconds since the epoch by the host's own clock."""


@dataclass(frozen=True, slots=True)
class JobFacts:
    """A job directory on the host that has no journalled end yet."""

    step: str
    digest: str
    attempt: int
    state: str
    """``running`` (its unit is active) or ``interrupted`` (directory without result and without unit)."""


@dataclass(frozen=True, slots=True)
class Disk:
    """One file system of interest, in MiB."""

    total: int
    free: int


@dataclass(frozen=True, slots=True)
class ManagedFile:
    """A file that we wrote: what we recorded and what is there now (sha256 hex; None: it is gone)."""

    recorded: str
    actual: str | None


@dataclass(frozen=True, slots=True)
class EtcdMember:
    """One row of ``etcdctl member list``."""

    id: str
    """Hexadecimal, as etcdctl prints and takes it."""
    name: str
    learner: bool
    peer_urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EtcdFacts:
    """What the etcd member on this host answers."""

    cluster_id: str
    member_id: str
    healthy: bool
    members: tuple[EtcdMember, ...] = ()


@dataclass(frozen=True, slots=True)
class HostFacts:
    """Everything observed on one host in one pass."""

    machine_id: str
    hostname: str
    boot_id: str
    arch: str
    """As OCI says it: ``amd64``, ``arm64``."""
    kernel: str
    os_id: str
    os_version: str
    skew: float
    """Seconds that the host's `date` is ahead of the observer's clock (half the round trip is the error)."""
    cpus: int = 1
    memory_mib: int = 0
    swap_mib: int = 0
    cgroup: int = 2
    systemd: int = 0
    """Version of systemd; 0: the host does not run systemd."""
    ipvs: bool = False
    modules_missing: frozenset[str] = frozenset()
    tools_missing: frozenset[str] = frozenset()
    disks: Mapping[str, Disk] = field(default_factory=dict)
    """By path of interest: ``/``, ``/var/lib``."""
    addresses: frozenset[str] = frozenset()
    routes: tuple[str, ...] = ()
    """Destinations in CIDR form, the default route left out."""
    mtu: int = 0
    listening: frozenset[int] = frozenset()
    answers: frozenset[tuple[str, int]] = frozenset()
    """Of the (address, port) pairs probed from this host, those that accepted a connection."""
    nameservers: tuple[str, ...] = ()
    leftovers: tuple[str, ...] = ()
    """Evidence of a Kubernetes installation, by path or unit."""
    owner: Owner | None = None
    fence: int = 0
    """The highest fencing number this host has seen; 0: none."""
    journal: Mapping[str, JournalEntry] = field(default_factory=dict)
    """By step, the last entry of each, in the order of the journal: that is what came after what, for the machine's clock may jump."""
    jobs: Mapping[str, JobFacts] = field(default_factory=dict)
    """By step, jobs that run or were interrupted."""
    parts: frozenset[str] = frozenset()
    """sha256 (hex) of content parts that lie ready in the host's store."""
    files: Mapping[str, ManagedFile] = field(default_factory=dict)
    hosts_block: str | None = None
    """Text between our markers in /etc/hosts; None: no block."""
    units: Mapping[str, str] = field(default_factory=dict)
    """ActiveState of the units asked for (``active``, ``inactive``, ``failed``, …; absent: no such unit)."""
    kubelet_conf: bool = False
    manifests: frozenset[str] = frozenset()
    """Names of the files in /etc/kubernetes/manifests."""
    certificates: Mapping[str, str] = field(default_factory=dict)
    """PEM text of leaf certificates by name (``apiserver``, ``etcd/server``, ``admin.conf``, …); masters only."""
    etcd: EtcdFacts | None = None

    def done(self, step: str, digest: str | None = None) -> bool:
        """True when the journal's last word on the step is ``done`` (with this digest, where one is given)."""
        entry = self.journal.get(step)
        return entry is not None and entry.state == "done" and (digest is None or entry.digest == digest)

    def after(self, step: str, other: str) -> bool:
        """True when the journal's last word on `step` came after its last word on `other`, or there is none on that."""
        steps = list(self.journal)
        return step in steps and (other not in steps or steps.index(step) > steps.index(other))

    def attempts(self, step: str) -> int:
        """Number of the last attempt of the step, whatever its digest; 0: never tried."""
        last = self.journal.get(step)
        job = self.jobs.get(step)
        return max(last.attempt if last else 0, job.attempt if job else 0)


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """A Node object of the new cluster, as far as decisions need it."""

    name: str
    uid: str
    ready: bool
    message: str = ""
    version: str = ""
    addresses: frozenset[str] = frozenset()
    unschedulable: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[tuple[str, str, str], ...] = ()
    """(key, value, effect)."""
    our_labels: frozenset[str] = frozenset()
    """Keys of labels that we put there, by the Node's own record."""
    our_taints: frozenset[tuple[str, str]] | None = None
    """(key, effect) of taints that we put there; None: we never had to do with its taints."""
    control_plane: bool = False


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """What the new cluster's own API says; `reachable` False: no master answered."""

    reachable: bool = False
    nodes: Mapping[str, NodeFacts] = field(default_factory=dict)
    ready_masters: frozenset[str] = frozenset()
    """Names of the hosts whose own API server answers /readyz."""
    dns_ready: bool = False
    """At least one CoreDNS pod is Ready (or the cluster has no such Deployment)."""
    error: str = ""
