"""What a machine shall be, and what it then is."""

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Literal

from sealab.errors import LabError

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")


def checked_name(kind: str, name: str) -> str:
    """A name that is safe as a file, host and cgroup name; anything else is refused."""
    if not _NAME.fullmatch(name):
        raise LabError(f"naming a {kind}: {name!r} is not 1-32 of a-z, 0-9 and - (no - at the ends)")
    return name


@dataclass(frozen=True)
class MachineSpec:
    """One machine as asked for."""

    name: str
    port: int = 22
    """Where its sshd listens."""
    user: str = "root"
    """Who logs in; anyone but root is created, may use sudo, and root may then not log in."""
    auth: Literal["key", "password", "both"] = "key"
    """`key`: the lab's key is authorised. `password`: no key is. Password logins are always enabled in sshd."""
    sudo: Literal["nopasswd", "password"] = "nopasswd"
    """Whether sudo asks a user other than root for the password."""
    disk_gib: float = 6.0
    """Size cap of everything the machine writes; the file behind it is sparse."""
    cloud_hosts: bool = False
    """/etc/hosts is written anew at every boot, as cloud-init does."""
    hostname: str = ""
    """Empty: the machine's name. Give two machines the same one to make a duplicate."""
    machine_id: str = ""
    """Empty: a random one (32 hex digits)."""
    address: str = ""
    """Empty: the next free one of the lab's network."""

    kind: Literal["container", "vm"] = "container"
    """`vm`: a qemu virtual machine with a kernel of its own (IPVS, netem, cgroup v2), some 10 times slower."""
    memory_mib: int = 2048
    """Of a virtual machine; a container has the host's."""

    def __post_init__(self) -> None:
        checked_name("machine", self.name)
        if not 0 < self.port < 65536:
            raise LabError(f"describing machine {self.name}: port {self.port} is not between 1 and 65535")
        if self.machine_id and not re.fullmatch(r"[0-9a-f]{32}", self.machine_id):
            raise LabError(f"describing machine {self.name}: machine_id must be 32 hex digits")
        if self.address and not _is_address(self.address):
            raise LabError(f"describing machine {self.name}: address {self.address!r} is no IPv4 address")
        if self.disk_gib < 0.1:
            raise LabError(f"describing machine {self.name}: a disk of {self.disk_gib} GiB is too small to boot")


def _is_address(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


@dataclass
class MachineRecord:
    """One machine as it was made: what lab.json keeps of it."""

    name: str
    index: int
    """1-based number in the lab; the network's names and addresses follow from it."""
    address: str
    port: int
    user: str
    password: str = field(repr=False)
    auth: str
    sudo: str
    hostname: str
    machine_id: str
    disk_bytes: int
    cloud_hosts: bool
    host_keys: list[str] = field(default_factory=list)
    """Public keys as in known_hosts, `type base64`, without address."""
    kind: str = "container"
    memory_mib: int = 0
    lower: str = ""
    """The shared root file system that it was made from, which may not be the one made today."""
