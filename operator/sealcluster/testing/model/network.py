"""Who can talk to whom: links of the operator, links between machines, name resolution and what answers at an address."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

from sealcluster.testing.model import etchosts
from sealcluster.testing.model.machine import Machine

ADDRESS_PORT = re.compile(r"\b(\d{1,3}(?:\.\d{1,3}){3}):(\d+)\b")


@dataclass
class Network:
    """The wires. Machines are found by address."""

    machines: dict[str, Machine] = field(default_factory=dict)
    """By address; two addresses may lead to one machine."""
    cut: set[str] = field(default_factory=set)
    """Names of machines that the operator cannot reach."""
    isolated: set[str] = field(default_factory=set)
    """Names of machines that nobody can reach and that reach nobody."""
    partitions: set[frozenset[str]] = field(default_factory=set)
    """Pairs of machine names without a way between them."""
    bastion: str | None = None
    """Address through which alone machines are reached, if there is one."""
    bastion_key: str = "ssh-ed25519 AAAAbastion-1"
    """What it shows."""
    external: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Addresses of load balancers of other people, with the addresses behind them."""

    def at(self, address: str) -> Machine | None:
        """The machine with this address."""
        return self.machines.get(address)

    def operator_reaches(self, machine: Machine) -> bool:
        """Is there a way from the operator to a running sshd (or API server) of this machine?"""
        return machine.powered and machine.name not in self.cut and machine.name not in self.isolated

    def reaches(self, source: Machine, target: Machine) -> bool:
        """Is there a way from one machine to another?"""
        if not (source.powered and target.powered):
            return False
        if source is target:
            return True
        if {source.name, target.name} & self.isolated:
            return False
        return frozenset((source.name, target.name)) not in self.partitions

    def resolve(self, machine: Machine, name: str) -> str | None:
        """The address that this machine takes a name for."""
        try:
            return str(ipaddress.ip_address(name))
        except ValueError:
            return etchosts.resolve(machine.hosts_text, name)

    def target(self, source: Machine, address: str) -> Machine | None:
        """The machine that answers to an address as seen from another, if there is a way."""
        if address.startswith("127."):
            return source if source.powered else None
        found = self.at(address)
        return found if found is not None and self.reaches(source, found) else None
