"""One machine: what it is made of and what is on it. It knows nothing of operators, clusters or the network."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field

from sealcluster.core.facts import Disk, JournalEntry, ManagedFile, Owner
from sealcluster.core.ports import Credentials
from sealcluster.testing.model import etchosts
from sealcluster.testing.model.files import FileSystem
from sealcluster.testing.model.jobs import JobTable
from sealcluster.testing.model.registry import Registry
from sealcluster.testing.model.units import Units

MANIFESTS = "/etc/kubernetes/manifests"
PKI = "/etc/kubernetes/pki"
KUBELET_CONF = "/etc/kubernetes/kubelet.conf"
ADMIN_CONF = "/etc/kubernetes/admin.conf"
ETCD_DATA = "/var/lib/etcd/member"
WRITEBACK = 30.0
"""Seconds after which a kernel has written to the disk what nobody flushed."""
RESERVED_MIB = 64
"""Room that a full disk leaves in `Disk.free`."""


@dataclass
class Login:
    """Who may log in and become root."""

    user: str = "root"
    password: str | None = "secret"
    private_key: str | None = None
    sudo: bool = True
    sudo_password: str | None = None
    """None: sudo asks for none."""

    def accepts(self, credentials: Credentials) -> bool:
        """Does sshd let this user in?"""
        if credentials.user != self.user:
            return False
        by_password = self.password is not None and credentials.password == self.password
        by_key = self.private_key is not None and credentials.private_key == self.private_key
        return by_password or by_key

    def becomes_root(self, credentials: Credentials) -> bool:
        """Does sudo work for this user?"""
        if self.user == "root":
            return True
        if not (self.sudo and credentials.become):
            return False
        return self.sudo_password in (None, credentials.become_password, credentials.password)


@dataclass
class Hardware:
    """What the machine is and brings along before we touch it; tests change it to make a machine unfit."""

    arch: str = "amd64"
    kernel: str = "6.1.0-18-amd64"
    os_id: str = "debian"
    os_version: str = "12"
    systemd: int = 252
    cpus: int = 4
    memory_mib: int = 8192
    swap_mib: int = 0
    cgroup: int = 2
    ipvs: bool = True
    modules_missing: frozenset[str] = frozenset()
    tools_missing: frozenset[str] = frozenset()
    disks: dict[str, Disk] = field(default_factory=lambda: {"/": Disk(100_000, 80_000), "/var/lib": Disk(100_000, 80_000)})
    routes: tuple[str, ...] = ()
    mtu: int = 1500
    nameservers: tuple[str, ...] = ("10.0.0.2",)
    busy_ports: frozenset[int] = frozenset()
    """Ports that other people's processes listen on."""


@dataclass
class Machine:
    """One machine."""

    name: str
    address: str
    port: int = 22
    machine_id: str = ""
    hostname: str = ""
    hardware: Hardware = field(default_factory=Hardware)
    login: Login = field(default_factory=Login)
    host_key: str = ""
    host_keys: int = 0
    """How many it has had."""
    skew: float = 0.0
    """Seconds that its clock is ahead of the truth."""
    rewrites_hosts: bool = False
    """True: something like cloud-init writes /etc/hosts anew at every boot."""
    broken_reboots: bool = False
    """True: enabled units do not come up at boot."""

    powered: bool = True
    booted_at: float = 0.0
    boots: int = 1
    era: int = 0
    """How often it was released or installed anew: a journal lives as long as an era."""
    slow: float = 1.0
    """Factor on all durations."""

    files: FileSystem = field(default_factory=FileSystem)
    units: Units = field(default_factory=Units)
    store: dict[str, int] = field(default_factory=dict)
    """Content parts by sha256 to size; bytes are kept in the world's content cache."""
    partial: dict[str, int] = field(default_factory=dict)
    """Bytes that arrived of parts whose sending was cut."""
    images: set[str] = field(default_factory=set)
    """Container images in containerd."""
    owner: Owner | None = None
    fence: int = 0
    journal: dict[str, JournalEntry] = field(default_factory=dict)
    unflushed: list[tuple[JournalEntry, dict[str, JournalEntry]]] = field(default_factory=list)
    """Lines of repeatable steps since the last one that was flushed, each with the journal as it was before."""
    proven: int = 1
    """The boot in which the store was last looked at."""
    jobs: JobTable = field(default_factory=JobTable)
    registry: Registry = field(default_factory=Registry)
    kept_manifests: dict[str, bytes] = field(default_factory=dict)
    """Static pods of the control plane as they were after kubeadm had made them."""
    managed: dict[str, str] = field(default_factory=dict)
    """Managed files by path to the recorded sha256."""

    def __post_init__(self) -> None:
        self.machine_id = self.machine_id or hashlib.md5(self.name.encode(), usedforsecurity=False).hexdigest()
        self.hostname = self.hostname or self.name
        if not self.host_key:
            self.change_host_key()
        if not self.hardware.routes:
            self.hardware.routes = ("10.0.0.0/24",)
        self.reset_hosts()

    @property
    def boot_id(self) -> str:
        """A new one per boot."""
        return hashlib.md5(f"{self.machine_id}/{self.boots}".encode(), usedforsecurity=False).hexdigest()

    @property
    def hosts_text(self) -> str:
        """/etc/hosts."""
        return self.files.text(etchosts.PATH)

    def change_host_key(self) -> None:
        """As after a reinstallation: sshd shows another key."""
        self.host_keys += 1
        blob = b"\0\0\0\x0bssh-ed25519\0\0\0 " + hashlib.sha256(f"{self.machine_id} {self.host_keys}".encode()).digest()
        self.host_key = f"ssh-ed25519 {base64.b64encode(blob).decode()}"

    def reset_hosts(self) -> None:
        """Write /etc/hosts as a fresh machine has it."""
        self.files.force(etchosts.PATH, etchosts.base(self.hostname).encode())

    def record(self, entry: JournalEntry, *, flushed: bool = True) -> None:
        """Append to the journal; room for it is reserved even on a full disk. A line that is flushed takes the earlier ones along."""
        if flushed:
            self.unflushed.clear()
        else:
            self.unflushed.append((entry, dict(self.journal)))
        self.journal.pop(entry.step, None)  # a later word takes a later place
        self.journal[entry.step] = entry

    def lose_power(self, now: float) -> list[JournalEntry]:
        """What was on its way to the disk did not arrive: the journal's last lines, and half of the parts, until somebody looks at them.

        `now`: the world's time. Returns the lines that are lost.
        """
        kept = [entry for entry, _ in self.unflushed if now + self.skew - entry.time >= WRITEBACK]
        lost = self.unflushed[len(kept) :]
        if lost:
            self.journal = lost[0][1]
        for entry, _ in lost:
            self.jobs.runs.pop((entry.step, entry.digest, entry.attempt), None)
        self.unflushed.clear()
        for digest in sorted(self.store)[::2]:
            del self.store[digest]
        return [entry for entry, _ in lost]

    def prove_store(self) -> None:
        """Digests of parts that an earlier boot left were looked at: what is whole may be used."""
        self.proven = self.boots

    def managed_files(self) -> dict[str, ManagedFile]:
        """What we recorded and what is there."""
        return {path: ManagedFile(recorded, self.files.sha256(path)) for path, recorded in self.managed.items()}

    def disks(self) -> dict[str, Disk]:
        """File systems of interest; all are full when one is."""
        if self.files.full:
            return {path: Disk(disk.total, 0) for path, disk in self.hardware.disks.items()}
        return dict(self.hardware.disks)

    def leftovers(self) -> tuple[str, ...]:
        """Evidence of a Kubernetes installation."""
        paths = [p for p in (KUBELET_CONF, ADMIN_CONF, MANIFESTS, PKI, ETCD_DATA, "/etc/cni/net.d") if self.files.exists(p)]
        return tuple(paths + [f"{unit}.service" for unit in ("kubelet", "containerd") if unit in self.units.table])

    def release(self) -> None:
        """The machine is nobody's: journal, fence and owner are gone."""
        self.journal.clear()
        self.unflushed.clear()
        self.owner, self.fence = None, 0
        self.era += 1

    def reinstall(self, now: float) -> None:
        """A fresh system on the same hardware: everything on the disk is gone, the machine has a new identity."""
        self.files, self.units, self.jobs, self.registry = FileSystem(), Units(), JobTable(), Registry()
        self.store, self.partial, self.images, self.managed, self.journal = {}, {}, set(), {}, {}
        self.kept_manifests = {}
        self.release()
        self.machine_id = hashlib.md5(f"{self.machine_id}+".encode(), usedforsecurity=False).hexdigest()
        self.boots += 1
        self.booted_at = now
        self.change_host_key()
        self.reset_hosts()
