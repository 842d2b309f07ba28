"""The life of a machine that is a container: start and stop under runc, commands inside."""

import ipaddress
import json
import os
import subprocess
import uuid
from pathlib import Path

from sealab import network
from sealab.errors import LabError
from sealab.machines_command import MARK, run
from sealab.machines_disk import is_mounted, make_disk, mount_disk, unmount_disk
from sealab.machines_identity import write_identity
from sealab.machines_layout import Layout
from sealab.machines_modules import write_module_list
from sealab.machines_runc_spec import specification
from sealab.machines_spec import MachineRecord

PREPARE = """
# kubelet and containerd want mounts that propagate; systemd leaves this to the container's manager.
mount --make-rshared /
# A boot has an id of its own, which says that the machine was restarted; the kernel's is the host's.
cat > /run/boot_id
mount --bind /run/boot_id /proc/sys/kernel/random/boot_id
"""
"""Run in a machine's mount namespace before its first process starts."""


BOOT_PATIENCE = 120.0
"""Seconds; a boot takes about one when the computer has nothing else to do."""


def create(layout: Layout, record: MachineRecord, subnet: ipaddress.IPv4Network) -> None:
    """Make a machine's disk and write its identity on it."""
    make_disk(layout, record.name, record.disk_bytes)
    mount_disk(layout, record.name, Path(record.lower))
    write_identity(layout, record, network.bridge_address(subnet))
    write_module_list(layout, record.name)


def start(layout: Layout, record: MachineRecord, subnet: ipaddress.IPv4Network) -> None:
    """Start a machine; returns when its systemd runs, before its sshd does."""
    name = record.name
    if not is_mounted(layout, name):
        mount_disk(layout, name, Path(record.lower))
    bundle = layout.machine_run(name)
    bundle.mkdir(parents=True, exist_ok=True)
    (bundle / "config.json").write_text(json.dumps(specification(layout, name, record.hostname)))
    environment = {**os.environ, MARK: layout.lab}
    with (bundle / "console.log").open("ab") as console:
        argv = [*_runc(layout), "--log", str(bundle / "runc.log"), "create", "--bundle", str(bundle), name]
        created = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=console, stderr=console, env=environment, timeout=60, check=False)
    if created.returncode:
        tail = (bundle / "console.log").read_text(errors="replace").strip().splitlines()[-1:]
        raise LabError(f"starting machine {name}: runc create failed: {' '.join(tail)}")
    pid = first_process(layout, record)
    network.plug_in(layout, record.index, pid, record.address, subnet)
    inside = ("nsenter", "--mount", "--target", str(pid), "sh", "-ec", PREPARE)
    run(*inside, input=f"{uuid.uuid4()}\n".encode(), lab=layout.lab)
    run(*_runc(layout), "start", name, lab=layout.lab)


def stop(layout: Layout, record: MachineRecord) -> None:
    """End a machine at once, as a power cut does. Its disk is kept, unmounted. A machine that is off is fine."""
    resume(layout, record)
    if (layout.runc / record.name).exists():
        run(*_runc(layout), "delete", "--force", record.name, lab=layout.lab)
    network.unplug(layout, record.index)
    unmount_disk(layout, record.name)


def pause(layout: Layout, record: MachineRecord) -> None:
    """Freeze every process of a machine."""
    run(*_runc(layout), "pause", record.name, lab=layout.lab)


def resume(layout: Layout, record: MachineRecord) -> None:
    """Thaw a machine; one that is not frozen is fine."""
    if status(layout, record) == "paused":
        run(*_runc(layout), "resume", record.name, lab=layout.lab)


def status(layout: Layout, record: MachineRecord) -> str:
    """`running`, `paused`, `created`, `stopped` (it went down by itself), or `off`."""
    if not (layout.runc / record.name / "state.json").exists():
        return "off"
    state = run(*_runc(layout), "state", record.name, lab=layout.lab, check=False)
    return "off" if state.returncode else str(json.loads(state.stdout)["status"])


def first_process(layout: Layout, record: MachineRecord) -> int:
    """The host's process id of the machine's PID 1."""
    state = layout.runc / record.name / "state.json"
    if not state.exists():
        raise LabError(f"finding the processes of machine {record.name}: it is off")
    return int(json.loads(state.read_text())["init_process_pid"])


def execute(layout: Layout, record: MachineRecord, command: str, *, input: bytes, timeout: float) -> subprocess.CompletedProcess[bytes]:
    """Run a shell command as root in a machine, in its cgroup, without going through its sshd or network."""
    environment = {**os.environ, MARK: layout.lab}
    argv = [*_runc(layout), "exec", "--cwd", "/root", record.name, "/bin/sh", "-c", command]
    try:
        return subprocess.run(argv, input=input, capture_output=True, env=environment, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        raise LabError(f"running {command[:80]!r} in {record.name}: not finished after {timeout:g} s") from error


def _runc(layout: Layout) -> tuple[str, ...]:
    return ("runc", "--root", str(layout.runc))
