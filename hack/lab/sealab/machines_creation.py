"""From a specification to a machine whose sshd answers."""

import ipaddress
import secrets
from pathlib import Path

from sealab import machines_runtime, network
from sealab.errors import LabError
from sealab.machines_disk import make_disk, mount_disk
from sealab.machines_identity import new_password, read_host_keys, write_identity
from sealab.machines_layout import Layout
from sealab.machines_spec import MachineRecord, MachineSpec
from sealab.machines_state import LabState
from sealab.ssh_access import wait_for_sshd

BOOT_PATIENCE = 120.0
"""Seconds; a boot takes about 5 when the computer has nothing else to do."""


def record_for(spec: MachineSpec, state: LabState) -> MachineRecord:
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
    )


def create(layout: Layout, record: MachineRecord, subnet: ipaddress.IPv4Network, lower: Path) -> None:
    """Make a machine's disk and identity, and boot it."""
    make_disk(layout, record.name, record.disk_bytes)
    mount_disk(layout, record.name, lower)
    write_identity(layout, record, network.bridge_address(subnet))
    boot(layout, record, subnet)


def boot(layout: Layout, record: MachineRecord, subnet: ipaddress.IPv4Network) -> None:
    """Start a machine whose disk is mounted, and wait until its sshd answers."""
    machines_runtime.start(layout, record, subnet)
    try:
        wait_for_sshd(record.address, record.port, BOOT_PATIENCE)
    except LabError as error:
        state = machines_runtime.status(layout, record.name)
        raise LabError(f"booting machine {record.name}: {error}; it is {state}") from error
    record.host_keys[:] = read_host_keys(layout.rootfs(record.name))
