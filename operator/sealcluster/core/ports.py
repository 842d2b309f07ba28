"""The outside world as the engine sees it. Each Protocol hides one system; adapters implement them, `sealcluster.testing` models them.

Failures cross these borders as `core.errors`: TransientError (try again), TerminalError (a person is needed), Fenced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from sealcluster.core.evidence import Evidence
from sealcluster.core.facts import ClusterFacts, HostFacts
from sealcluster.core.images import ImageInfo
from sealcluster.core.ops import Job, JobResult
from sealcluster.core.state import StateRecord

Progress = Callable[[str], None]
"""Called with one short line for a person while something long runs."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """How to log in to a host. Secrets never show in `repr`. `version` changes whenever the content does (Secret resourceVersion)."""

    user: str = "root"
    password: str | None = field(default=None, repr=False)
    private_key: str | None = field(default=None, repr=False)
    passphrase: str | None = field(default=None, repr=False)
    certificate: str | None = field(default=None, repr=False)
    """OpenSSH user certificate that goes with the key."""
    become: bool = True
    """Use sudo when the user is not root."""
    become_password: str | None = field(default=None, repr=False)
    version: str = ""


@dataclass(frozen=True, slots=True)
class HostKeyPolicy:
    """Which host keys are accepted. `pinned`: what we recorded; `known_hosts`: a user's file; TOFU only when neither knows the host."""

    trust_on_first_use: bool = False
    pinned: str | None = None
    known_hosts: str | None = None


@dataclass(frozen=True, slots=True)
class Bastion:
    """A jump host."""

    address: str
    port: int
    credentials: Credentials
    keys: HostKeyPolicy


@dataclass(frozen=True, slots=True)
class HostTarget:
    """Everything needed to reach one host."""

    name: str
    address: str
    port: int
    credentials: Credentials
    keys: HostKeyPolicy
    bastion: Bastion | None = None


@dataclass(frozen=True, slots=True)
class FactsQuery:
    """What to look at beyond the standard facts."""

    units: tuple[str, ...] = ("kubelet", "containerd", "registry", "image-cri-shim")
    files: tuple[str, ...] = ()
    """Additional files whose sha256 is wanted (reported in `HostFacts.files` with an empty `recorded`)."""
    etcd: bool = False
    """Ask the etcd member on this host (masters)."""
    certificates: bool = False
    """Return the PEM of leaf certificates (masters)."""
    probe: tuple[tuple[str, int], ...] = ()
    """(address, port) pairs to connect to from the host, 2 s each, side by side; those that answer are in `HostFacts.answers`."""
    preflight: bool = False
    """Also gather what only preflight needs (tools, modules, routes, leftovers, ports)."""


@dataclass(frozen=True, slots=True)
class Fence:
    """What a host checks before it lets a job start: the cluster that owns it and a number that never falls."""

    cluster_id: str
    number: int


class HostPort(Protocol):
    """One machine. Every method may raise TransientError (not reachable, link lost) or TerminalError (AuthenticationFailed,
    SudoFailed, HostKeyMismatch, HostKeyUnknown)."""

    @property
    def host_key(self) -> str:
        """OpenSSH public key line that the host showed and that was accepted, although the login failed perhaps; empty before that."""
        ...

    @property
    def bastion_key(self) -> str:
        """The same for the jump host on the way; empty where there is none, or before the first contact."""
        ...

    async def facts(self, query: FactsQuery) -> HostFacts:
        """Look, in one round trip; changes nothing on the host."""
        ...

    async def run(self, job: Job, attempt: int, fence: Fence, progress: Progress | None = None) -> JobResult:
        """Start this attempt of the job, or re-attach to it when it runs or has ended, and wait for its end.

        The same (step, digest, attempt) never starts twice. Raises Fenced when the host has seen a higher number, TerminalError
        HostOfAnotherCluster when it is another cluster's, TransientError when the link is lost (the job goes on) or the job was
        interrupted by a reboot. A job that ended with rc != 0 is a result, not an error.
        """
        ...

    async def send(self, digest: str, source: Path, cluster_id: str, progress: Progress | None = None) -> int:
        """Put one content part into the host's store (verified by sha256, resumes a partial one). Returns the bytes that travelled.

        Raises as `run` does where the host is not this cluster's.
        """
        ...

    async def missing(self, digests: Sequence[str], tree: str = "") -> frozenset[str]:
        """Which of these digests lie neither in the store nor, where `tree` is given, as blobs of that registry tree."""
        ...


class Hosts(Protocol):
    """All machines; connections are pooled and close when idle."""

    def host(self, target: HostTarget) -> HostPort:
        """The machine; connects at first use."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


@dataclass(frozen=True, slots=True)
class PullAuth:
    """Registry credentials (the merged ``auths`` of dockerconfigjson Secrets) and trust."""

    auths: Mapping[str, tuple[str, str]] = field(default_factory=dict, repr=False)


class Images(Protocol):
    """Cluster images: registries and archives behind one content store."""

    async def resolve(self, name: str, ref: str, arch: str, auth: PullAuth, progress: Progress | None = None) -> ImageInfo:
        """Pull what is missing, verify, unpack into parts. Raises TerminalError (ImageNotFound, ArchMismatch, UnsupportedImage,
        ImageCorrupt) or TransientError (ImagePullFailed)."""
        ...

    async def open_part(self, digest: str) -> Path:
        """A local file with exactly the bytes of this part or registry blob; it stays valid until the process ends."""
        ...


@dataclass(frozen=True, slots=True)
class PKI:
    """The cluster's authorities: PEM pairs by Cluster API's names (`ca`, `etcd`, `proxy`) and the service-account pair `sa`."""

    ca: tuple[str, str] = field(repr=False)
    etcd: tuple[str, str] = field(repr=False)
    proxy: tuple[str, str] = field(repr=False)
    sa: tuple[str, str] = field(repr=False)
    """(public PEM, private PEM)."""
    registry_password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class NodeIdentity:
    """The names that certificates of one master carry."""

    name: str
    address: str
    sans: tuple[str, ...] = ()
    """Additional subject alternative names of the API server, DNS names and addresses alike."""
    first: bool = False
    """True on the master that runs `kubeadm init`; a joining one gets its kubelet.conf by TLS bootstrap."""


@dataclass(frozen=True, slots=True)
class CertificatePolicy:
    """What every leaf of the cluster shares."""

    version: str
    service_subnet: str
    dns_domain: str
    validity_seconds: int
    ca_validity_seconds: int
    endpoint: str = "apiserver.cluster.local"
    """Name of the control plane in kubeconfigs and certificates."""


class Certs(Protocol):
    """Certificate authority work; CPU only, in a thread where it takes long."""

    async def create(self, policy: CertificatePolicy) -> PKI:
        """New authorities and a random registry password."""
        ...

    def missing(self, pki: PKI, node: NodeIdentity, policy: CertificatePolicy, found: Mapping[str, str], now: float) -> tuple[str, ...]:
        """Names of the leaves (see `ops.GenerateCSRs`) that this master must have and that are absent, foreign, expired or lack a name."""
        ...

    async def sign(
        self, pki: PKI, node: NodeIdentity, policy: CertificatePolicy, requests: Mapping[str, str], now: float
    ) -> dict[str, str]:
        """Sign CSRs (PEM by name). Subject, names and usages come from the policy, only the key from the request."""
        ...

    def expiry(self, pem: str) -> float:
        """notAfter in seconds since the epoch."""
        ...

    def ca_hash(self, pki: PKI) -> str:
        """``sha256:<hex>`` of the CA's public key, as kubeadm wants it for discovery."""
        ...

    def kubeconfig(self, pki: PKI, name: str, address: str, port: int, domain: str, policy: CertificatePolicy, now: float) -> str:
        """An admin kubeconfig (client certificate made now) for `https://address:port` with `tls-server-name` domain."""
        ...


class Workload(Protocol):
    """The API of the new cluster, through whichever master answers."""

    async def facts(self) -> ClusterFacts:
        """Nodes and masters' readiness; never raises for an API that is down (`reachable` False says so)."""
        ...

    async def ensure_token(self, token: str, ttl: float) -> None:
        """Make the bootstrap token Secret (``abcdef.0123456789abcdef``) valid for at least `ttl` seconds from now."""
        ...

    async def patch_node(self, name: str, labels: Mapping[str, str | None], taints: Sequence[tuple[str, str, str]] | None) -> None:
        """Set labels (None removes) and, where given, the complete list of taints that we manage."""
        ...

    async def set_unschedulable(self, name: str, value: bool) -> None:
        """Cordon or uncordon."""
        ...

    async def evict_pods(self, node: str, *, force: bool = False, empty_dir: bool = True) -> tuple[int, str]:
        """One round of eviction: (pods still there, why the first of them is blocked or "").

        `force`: also pods that no controller brings back. `empty_dir`: also pods that lose an emptyDir volume.
        """
        ...

    async def delete_node(self, name: str, uid: str) -> None:
        """Delete the Node with this UID; gone already is fine."""
        ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A master's API server."""

    host: str
    address: str
    port: int


class Workloads(Protocol):
    """Opens the APIs of new clusters."""

    def open(self, cluster: str, endpoints: Sequence[Endpoint], domain: str, pki: PKI) -> Workload:
        """A handle (pooled by cluster); connects lazily."""
        ...


class Management(Protocol):
    """Where one cluster's durable records live: Kubernetes Secrets beside the SealCluster, or a directory for the CLI."""

    async def load_state(self) -> tuple[StateRecord | None, str]:
        """The record and its version; (None, "") when there is none."""
        ...

    async def save_state(self, record: StateRecord, version: str) -> str:
        """Compare-and-swap; returns the new version. Raises StateConflict. Version "" creates (conflict when it exists)."""
        ...

    async def load_pki(self) -> PKI | None:
        """All authorities, or None when there are none at all; TerminalError PKIMissing naming the Secrets when only some are there."""
        ...

    async def create_pki(self, pki: PKI) -> None:
        """Store new authorities; never overwrites (StateConflict)."""
        ...

    async def save_kubeconfig(self, text: str) -> None:
        """Create or replace `<name>-kubeconfig` where it differs."""
        ...

    async def load_kubeconfig(self) -> str | None:
        """What `save_kubeconfig` stored last."""
        ...

    async def credentials(self, reference: str) -> Credentials:
        """Read a credentials Secret (keys: username, password, ssh-privatekey, passphrase, ssh-certificate, become-password).

        Raises TerminalError SecretMissing naming the Secret or the key that is wrong."""
        ...

    async def text(self, kind: str, reference: str, key: str) -> str:
        """One key of a Secret (kind ``Secret``) or ConfigMap; TerminalError SecretMissing."""
        ...

    async def pull_auth(self, references: Sequence[str]) -> PullAuth:
        """Merge dockerconfigjson Secrets."""
        ...

    async def stamp(self, kind: str, reference: str) -> str:
        """A text that is another one whenever this Secret or ConfigMap was changed; empty while it does not exist."""
        ...

    async def load_evidence(self) -> tuple[Evidence, ...]:
        """What was kept of failed steps, oldest first; empty where there is nothing, or nothing readable."""
        ...

    async def save_evidence(self, entries: tuple[Evidence, ...]) -> None:
        """Keep these, and no others."""
        ...

    async def purge(self) -> None:
        """Remove state, PKI and kubeconfig after the last host was released."""
        ...


class Clock(Protocol):
    """Time, so that it can be virtual."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...
