"""The verbs that a host understands: typed values, no shell. The host adapter turns them into scripts, the model host into state changes.

Every op is idempotent unless its docstring says otherwise. Fields that carry secrets are excluded from `repr`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class File:
    """One file to be written whole (temporary file, fsync, rename), owned by root."""

    path: str
    content: bytes = field(repr=False)
    mode: int = 0o600


@dataclass(frozen=True, slots=True)
class Claim:
    """Write the owner file; refused when the host is another cluster's (rc 77). Creates the working directories."""

    cluster_id: str
    name: str
    hostname: str | None = None


@dataclass(frozen=True, slots=True)
class InstallRootfs:
    """Unpack parts (tar, gzip) from the store and write rendered files below `root`; `registry/` below it is left alone.

    Entries of an earlier image that are not in this one disappear. With `keep_parts` False the parts leave the store afterwards.
    """

    root: str
    parts: tuple[str, ...]
    files: tuple[File, ...] = ()
    """Paths relative to `root`."""
    keep_parts: bool = False


@dataclass(frozen=True, slots=True)
class FetchParts:
    """Download parts by digest from a distribution server (`GET /v2/<repository>/blobs/sha256:<hex>`), verify, store."""

    server: str
    """host:port, plain HTTP inside the machines' own network."""
    repository: str
    digests: tuple[str, ...]
    username: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class CommitRegistry:
    """Bring blobs from the store and link files into a docker-distribution tree at `root`.

    Each blob of `blobs` is moved (or hard-linked, when in `keep`) from the store to its place; `links` maps paths below
    `root` to digests (the content of a link file). `parts` are additionally offered as blobs of `parts_repository`.
    """

    root: str
    blobs: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    parts: tuple[str, ...] = ()
    parts_repository: str = ""


@dataclass(frozen=True, slots=True)
class WriteHosts:
    """Write our marked block of /etc/hosts, in place of the old one; lines of other people are left alone. Empty: remove the block."""

    entries: tuple[tuple[str, str], ...]
    """(address, name)."""


@dataclass(frozen=True, slots=True)
class RunScript:
    """Run an image's script the way sealos does: ``cd <cwd>; export env; bash <text>``. Not idempotent by itself: journalled."""

    cwd: str
    text: str
    """The label's text, e.g. ``init-cri.sh $registryDomain $registryPort && bash init.sh``; expanded by bash from `env`."""
    env: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class PrepareRegistry:
    """Link the registry's data directory to `tree` and write the htpasswd file, before the image's init-registry script."""

    data: str
    tree: str
    htpasswd_path: str
    htpasswd: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PullImages:
    """Pull container images that a role needs, several at a time. `kubeadm` True adds kubeadm's own list, filtered by `role`."""

    root: str
    version: str
    role: str
    """``master``: all of kubeadm's images; ``worker``: kube-proxy and pause only."""
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GenerateCSRs:
    """Put the CAs in place and let kubeadm make leaf keys and CSRs on the host; keys that exist stay. The result's `output` holds the CSRs.

    `output` is text: for each CSR a line ``== <name>`` (``apiserver``, ``etcd/server``, ``admin.conf``, …) and its PEM.
    """

    root: str
    config: bytes = field(repr=False)
    """kubeadm InitConfiguration + ClusterConfiguration naming the node and its addresses."""
    authorities: tuple[File, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class InstallCertificates:
    """Put signed leaf certificates beside their keys and complete the kubeconfigs (the keys are already in them)."""

    certificates: Mapping[str, str]
    """PEM by name: file certificates (``apiserver``) and kubeconfigs (``admin.conf``)."""
    ca: str
    server: str = ""
    """URL of the API server to put into the kubeconfigs; empty: kubeadm's own choice stays."""


@dataclass(frozen=True, slots=True)
class KubeadmInit:
    """``kubeadm init`` with this configuration. Happens once: never repeated without `KubeadmReset`."""

    config: bytes = field(repr=False)
    files: tuple[File, ...] = ()
    directory: str = "/var/lib/sealos/data/default"
    """The configuration is kept as `etc/kubeadm-init.yaml` below it (0600), for people and later upgrades."""


@dataclass(frozen=True, slots=True)
class KubeadmJoin:
    """``kubeadm join`` with this configuration. Never repeated without `KubeadmReset`."""

    config: bytes = field(repr=False)
    role: str = "worker"
    """``master`` or ``worker``."""
    files: tuple[File, ...] = ()
    directory: str = "/var/lib/sealos/data/default"
    """The configuration without its token is not kept; joins write `etc/` below it only while they run."""


@dataclass(frozen=True, slots=True)
class KubeadmReset:
    """Undo a kubeadm init or join: ``kubeadm reset -f`` and what it leaves (manifests, pki, kubeconfigs, etcd data)."""


@dataclass(frozen=True, slots=True)
class PutFiles:
    """Write files and remember them as managed (drift is found by digest); `remove` are deleted and forgotten."""

    files: tuple[File, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Guest:
    """Unpack an application image's parts into `workdir` and run its commands one after another; the first that fails fails it."""

    workdir: str
    commands: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    parts: tuple[str, ...] = ()
    files: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True)
class EtcdMember:
    """Change etcd's membership from a healthy member: ``remove`` or ``promote`` the member with this id (idempotent)."""

    action: str
    member_id: str


@dataclass(frozen=True, slots=True)
class StartUnits:
    """Start systemd units that are stopped or failed, in this order."""

    units: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RestoreManifests:
    """Put back static pods of the control plane that are gone, from the copy that was kept when kubeadm had made them."""


@dataclass(frozen=True, slots=True)
class CleanHost:
    """Undo everything: kubeadm reset, the image's clean scripts, links, rules, mounts, units, files; the journal and owner file last."""

    root: str
    scripts: tuple[str, ...] = ()
    """Label texts of clean scripts, in order, run in ``<root>/scripts`` where they exist."""
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    hosts_names: tuple[str, ...] = ()
    subnets: tuple[str, ...] = ()
    """Networks of pods: routes into them, that a network plugin made, go too."""


Op = (
    Claim
    | InstallRootfs
    | FetchParts
    | CommitRegistry
    | WriteHosts
    | RunScript
    | PrepareRegistry
    | PullImages
    | GenerateCSRs
    | InstallCertificates
    | KubeadmInit
    | KubeadmJoin
    | KubeadmReset
    | PutFiles
    | Guest
    | EtcdMember
    | StartUnits
    | RestoreManifests
    | CleanHost
)


@dataclass(frozen=True, slots=True)
class Job:
    """One op with its identity. `step` + `digest` name it in the host's journal; the digest covers everything that makes the result."""

    step: str
    digest: str
    op: Op
    timeout: float = 600.0
    """Seconds after which the host ends it (RuntimeMaxSec)."""


@dataclass(frozen=True, slots=True)
class JobResult:
    """How a job ended. rc 0: done. `log` are its last lines, `output` what the op returns (see `GenerateCSRs`)."""

    rc: int
    log: str = ""
    output: str = ""
    seconds: float = 0.0
    unit: str = ""
    """Unit whose log may tell why it failed; empty: none."""
    unit_log: str = ""
    """The last lines of that log when it failed."""
