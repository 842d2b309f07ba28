"""Who can talk to whom: links of the operator, links between machines, name resolution and what answers at an address."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sealcluster.testing.model import etchosts
from sealcluster.testing.model.machine import Machine

ADDRESS_PORT = re.compile(r"\b(\d{1,3}(?:\.\d{1,3}){3}):(\d+)\b")


@dataclass
class Network:
    """The wires. Machines are found by address."""

    machines: dict[str, Machine] = field(default_factory=dict)
    """By address; two addresses may lead to one machine. Added to by `put` alone."""
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
    _named: dict[str, Machine] | None = None
    _addresses: dict[str, frozenset[str]] | None = None

    def put(self, address: str, machine: Machine) -> None:
        """A machine gets an address."""
        self.machines[address] = machine
        self._named = self._addresses = None

    @property
    def named(self) -> Mapping[str, Machine]:
        """Every machine once, by its name: made once, not for each question about thousands of machines."""
        if self._named is None:
            self._named = {machine.name: machine for machine in self.machines.values()}
        return self._named

    def addresses_of(self, machine: Machine) -> frozenset[str]:
        """All that lead to it."""
        if self._addresses is None:
            found: dict[str, set[str]] = {}
            for address, owner in self.machines.items():
                found.setdefault(owner.name, set()).add(address)
            self._addresses = {name: frozenset(addresses) for name, addresses in found.items()}
        mine = self._addresses.get(machine.name, frozenset())
        return frozenset(address for address in mine if self.machines[address] is machine)

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
