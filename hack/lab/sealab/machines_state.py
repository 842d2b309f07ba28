"""lab.json: what was asked for and made, written before each step and replaced atomically."""

import dataclasses
import ipaddress
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sealab.errors import LabError
from sealab.machines_layout import Layout
from sealab.machines_spec import MachineRecord


@dataclass
class LabState:
    """One lab as lab.json holds it."""

    name: str
    subnet: str
    state: str = "starting"
    """`starting` until every machine has answered, then `up`."""
    owner_pid: int = 0
    """The process whose end makes the lab a leftover; 0: the lab stays until it is taken down."""
    owner_started: int = 0
    """That process' start time in clock ticks since boot: process ids are used again."""
    machines: dict[str, MachineRecord] = field(default_factory=dict)

    @property
    def network(self) -> ipaddress.IPv4Network:
        return ipaddress.IPv4Network(self.subnet)

    def owner_is_alive(self) -> bool:
        """True also for a lab without an owner."""
        return not self.owner_pid or started(self.owner_pid) == self.owner_started != 0


def started(pid: int) -> int:
    """When a process started, in clock ticks since boot; 0 when there is none."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def save(layout: Layout, state: LabState) -> None:
    """Replace lab.json; readers see the old or the new one, whole."""
    layout.run.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = layout.state.with_suffix(".part")
    with open(os.open(partial, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:  # noqa: PTH123 (mode)
        json.dump(dataclasses.asdict(state), file, indent=1)
    partial.rename(layout.state)


def load(layout: Layout) -> LabState:
    """Read lab.json; a lab that is not there is a LabError."""
    try:
        raw: dict[str, Any] = json.loads(layout.state.read_text())
    except FileNotFoundError:
        raise LabError(f"reading lab {layout.lab}: there is no such lab; `sealab list` shows what there is") from None
    machines = {name: MachineRecord(**record) for name, record in raw.pop("machines").items()}
    return LabState(**raw, machines=machines)
