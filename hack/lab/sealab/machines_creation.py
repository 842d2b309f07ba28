"""From a specification to a machine whose sshd answers."""

import ipaddress
import secrets
from pathlib import Path

from sealab import network
from sealab.errors import LabError
from sealab.machines_identity import new_password, read_host_keys
from sealab.machines_kinds import kind_of
from sealab.machines_layout import Layout
from sealab.machines_spec import MachineRecord, MachineSpec
from sealab.machines_state import LabState
from sealab.ssh_access import wait_for_sshd


def record_for(spec: MachineSpec, state: LabState, lower: Path) -> MachineRecord:
    """Fill in what the specification left open."""
    index = max((record.index for record in state.machines.values()), default=0) + 1
    if index > 240:
        raise LabError(f"adding machine {spec.name}: a lab holds at most 240 machines")
    address = spec.address or network.machine_address(state.network, index)
    if ipaddress.IPv4Address(address) not in state.network:
        raise LabError(f"adding machine {spec.name}: address {address} is outside the lab's network {state.network}")
    return MachineRecord(
        name=spec.name,
        index=index,
        address=address,
        port=spec.port,
        user=spec.user,
        password=new_password(),
        auth=spec.auth,
        sudo=spec.sudo,
        hostname=spec.hostname or spec.name,
        machine_id=spec.machine_id or secrets.token_hex(16),
        disk_bytes=int(spec.disk_gib * 2**30),
        cloud_hosts=spec.cloud_hosts,
        kind=spec.kind,
        memory_mib=spec.memory_mib if spec.kind == "vm" else 0,
        lower=str(lower),
    )


def create(layout: Layout, record: MachineRecord, subnet: ipaddress.IPv4Network) -> None:
    """Make a machine's disk and identity, and boot it."""
    kind_of(record).create(layout, record, subnet)
    boot(layout, record, subnet)


def boot(layout: Layout, record: MachineRecord, subnet: ipaddress.IPv4Network) -> None:
    """Start a machine that is off, and wait until its sshd answers."""
    kind = kind_of(record)
    kind.start(layout, record, subnet)
    try:
        wait_for_sshd(record.address, record.port, kind.BOOT_PATIENCE, gone=lambda: kind.status(layout, record) in ("off", "stopped"))
    except LabError as error:
        raise LabError(
            f"booting machine {record.name}: {error}; it is {kind.status(layout, record)}; {_last_console_line(layout, record)}"
        ) from error
    # A container's keys are made at its first boot; a virtual machine's disk cannot be read while it runs.
    record.host_keys[:] = read_host_keys(layout.rootfs(record.name)) or record.host_keys


def _last_console_line(layout: Layout, record: MachineRecord) -> str:
    console = layout.machine_run(record.name) / "console.log"
    lines = console.read_text(errors="replace").strip().splitlines() if console.exists() else []
    return f"the last line on its console: {lines[-1].strip()}" if lines else "its console is empty"
