"""The two kinds of machines behind one interface."""

import ipaddress
import subprocess
from typing import Protocol

from sealab import machines_container, machines_vm
from sealab.machines_layout import Layout
from sealab.machines_spec import MachineRecord


class Kind(Protocol):
    """What can be done with a machine, whatever it is made of. The modules say what each function promises."""

    BOOT_PATIENCE: float

    def create(self, layout: Layout, record: MachineRecord, subnet: ipaddress.IPv4Network) -> None: ...
    def start(self, layout: Layout, record: MachineRecord, subnet: ipaddress.IPv4Network) -> None: ...
    def stop(self, layout: Layout, record: MachineRecord) -> None: ...
    def pause(self, layout: Layout, record: MachineRecord) -> None: ...
    def resume(self, layout: Layout, record: MachineRecord) -> None: ...
    def status(self, layout: Layout, record: MachineRecord) -> str: ...
    def first_process(self, layout: Layout, record: MachineRecord) -> int: ...
    def execute(
        self, layout: Layout, record: MachineRecord, command: str, *, input: bytes, timeout: float
    ) -> subprocess.CompletedProcess[bytes]: ...


KINDS: dict[str, Kind] = {"container": machines_container, "vm": machines_vm}


def kind_of(record: MachineRecord) -> Kind:
    """The functions for a machine of this kind."""
    return KINDS[record.kind]
