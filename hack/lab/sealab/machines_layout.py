"""Where everything of a lab is: every path and every kernel object's name follows from the lab's name alone.

That is what makes `down` work after a crash at any moment: nothing has to have been written down to be found.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from sealab import paths


@dataclass(frozen=True)
class Layout:
    """Names and places of one lab."""

    lab: str

    @property
    def run(self) -> Path:
        """Small files: state, keys, runc bundles, console logs."""
        return paths.RUN / self.lab

    @property
    def data(self) -> Path:
        """The machines' disks."""
        return paths.DATA / self.lab

    @property
    def state(self) -> Path:
        return self.run / "lab.json"

    @property
    def runc(self) -> Path:
        """runc's own state directory: container names are per lab."""
        return self.run / "runc"

    @property
    def key(self) -> Path:
        return self.run / "id_ed25519"

    @property
    def tag(self) -> str:
        """Interface names have 15 characters: too few for a lab's name."""
        return hashlib.sha256(self.lab.encode()).hexdigest()[:8]

    @property
    def bridge(self) -> str:
        return f"sl{self.tag}"

    @property
    def link_prefix(self) -> str:
        return f"sl{self.tag}-"

    def link(self, index: int) -> str:
        """The host's end of a machine's cable."""
        return f"{self.link_prefix}{index}"

    @property
    def cgroup(self) -> str:
        """Path below every hierarchy's root."""
        return f"sealab/{self.lab}"

    def machine_run(self, machine: str) -> Path:
        return self.run / "machines" / machine

    def machine_data(self, machine: str) -> Path:
        return self.data / machine

    def image(self, machine: str) -> Path:
        """The file that is the machine's disk."""
        return self.machine_data(machine) / "disk.img"

    def disk(self, machine: str) -> Path:
        """Where that disk is mounted on the host."""
        return self.machine_data(machine) / "disk"

    def rootfs(self, machine: str) -> Path:
        """Where the machine's root is mounted on the host."""
        return self.machine_data(machine) / "rootfs"
