"""The life of a machine that is a virtual machine: qemu without hardware help, for what the host's kernel lacks."""

import contextlib
import ipaddress
import os
import signal
import subprocess
import time
from pathlib import Path

from sealab import network
from sealab.errors import LabError
from sealab.machines_command import run
from sealab.machines_disk import make_disk, unmount_disk
from sealab.machines_identity import read_host_keys, write_identity
from sealab.machines_layout import Layout
from sealab.machines_spec import MachineRecord
from sealab.rootfs_vm import ensure_kernel
from sealab.ssh_access import ssh_command, ssh_environment

BOOT_PATIENCE = 300.0
"""Seconds; emulated, a boot takes about 20 when the computer has nothing else to do."""

UNMASKED = ("systemd-sysctl.service", "systemd-modules-load.service", "systemd-udevd.service", "systemd-udev-trigger.service")
"""What the image masks for machines that share the host's kernel; this one has its own."""


def create(layout: Layout, record: MachineRecord, subnet: ipaddress.IPv4Network) -> None:
    """Make the disk: a copy of the root file system, the kernel's modules, the machine's identity."""
    lab, root = layout.lab, layout.rootfs(record.name)
    kernel = ensure_kernel(_say_nothing, lab)
    make_disk(layout, record.name, record.disk_bytes)
    root.mkdir()
    run("mount", "-t", "ext4", "-o", "loop,barrier=0,noinit_itable", str(layout.image(record.name)), str(root), lab=lab)
    run("cp", "-a", f"{record.lower}/.", str(root), lab=lab)
    (root / "lib/modules").mkdir(exist_ok=True)
    run("cp", "-a", str(kernel.modules), str(root / "lib/modules"), lab=lab)
    for unit in UNMASKED:
        (root / "etc/systemd/system" / unit).unlink()
    (root / "etc/modules-load.d/machine.conf").write_text("br_netfilter\noverlay\n")
    write_identity(layout, record, network.bridge_address(subnet))
    run("chroot", str(root), "ssh-keygen", "-A", lab=lab)
    record.host_keys[:] = read_host_keys(root)
    unmount_disk(layout, record.name)


def start(layout: Layout, record: MachineRecord, subnet: ipaddress.IPv4Network) -> None:
    """Start the virtual machine; returns at once."""
    kernel = ensure_kernel(_say_nothing, layout.lab)
    tap, home = layout.link(record.index), layout.machine_run(record.name)
    home.mkdir(parents=True, exist_ok=True)
    run("ip", "tuntap", "add", "dev", tap, "mode", "tap", lab=layout.lab)
    run("ip", "link", "set", tap, "master", layout.bridge, "up", lab=layout.lab)
    address = f"lab.address={record.address}/{subnet.prefixlen} lab.gateway={network.bridge_address(subnet)}"
    hardware = network.hardware_address(layout, record.index)
    argv = ["qemu-system-x86_64", "-name", f"{layout.lab}-{record.name}", "-nodefaults", "-display", "none", "-daemonize"]
    argv += ["-accel", os.environ.get("SEALAB_ACCEL", "tcg,thread=multi"), "-cpu", "max", "-smp", "2", "-m", str(record.memory_mib)]
    argv += ["-kernel", str(kernel.image), "-initrd", str(kernel.first_root)]
    argv += ["-append", f"console=ttyS0 quiet rw net.ifnames=0 mitigations=off {address}"]
    argv += ["-drive", f"file={layout.image(record.name)},if=virtio,format=raw,cache=unsafe,discard=unmap"]
    argv += ["-netdev", f"tap,id=net,ifname={tap},script=no,downscript=no"]
    argv += ["-device", f"virtio-net-pci,netdev=net,mac={hardware}"]
    argv += ["-serial", f"file:{home / 'console.log'}", "-pidfile", str(_pidfile(layout, record))]
    run(*argv, lab=layout.lab)


def stop(layout: Layout, record: MachineRecord) -> None:
    """End a machine at once, as a power cut does. A machine that is off is fine."""
    if status(layout, record) != "off":
        pid = first_process(layout, record)
        os.kill(pid, signal.SIGKILL)
        _wait_until(pid, "Z", "does not die", record)
    _pidfile(layout, record).unlink(missing_ok=True)
    network.unplug(layout, record.index)
    unmount_disk(layout, record.name)


def pause(layout: Layout, record: MachineRecord) -> None:
    """Stop the emulation where it is; returns when it has stopped."""
    pid = first_process(layout, record)
    os.kill(pid, signal.SIGSTOP)
    _wait_until(pid, "T", "does not stop", record)


def resume(layout: Layout, record: MachineRecord) -> None:
    """Go on after `pause`; a machine that is not paused is fine."""
    if status(layout, record) == "paused":
        os.kill(first_process(layout, record), signal.SIGCONT)


def status(layout: Layout, record: MachineRecord) -> str:
    """`running`, `paused` or `off`."""
    try:
        pid = int(_pidfile(layout, record).read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return "off"
    if str(layout.image(record.name)).encode() not in command:
        return "off"
    return "paused" if _state(pid) == "T" else "running"


def first_process(layout: Layout, record: MachineRecord) -> int:
    """The process id of qemu."""
    if status(layout, record) == "off":
        raise LabError(f"finding the process of machine {record.name}: it is off")
    return int(_pidfile(layout, record).read_text())


def execute(layout: Layout, record: MachineRecord, command: str, *, input: bytes, timeout: float) -> subprocess.CompletedProcess[bytes]:
    """Run a shell command as root; there is no way in but its sshd."""
    become = "" if record.user == "root" else "sudo -n " if record.sudo == "nopasswd" else "sudo -k -S -p '' "
    if become.endswith("'' "):
        input = f"{record.password}\n".encode() + input
    quoted = "'" + command.replace("'", "'\\''") + "'"
    argv = ssh_command(layout, record, f"{become}sh -c {quoted}")
    environment = {**os.environ, **ssh_environment(layout, record)}
    try:
        return subprocess.run(argv, input=input, capture_output=True, env=environment, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        raise LabError(f"running {command[:80]!r} in {record.name}: not finished after {timeout:g} s") from error


def _pidfile(layout: Layout, record: MachineRecord) -> Path:
    return layout.machine_run(record.name) / "qemu.pid"


def _state(pid: int) -> str:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return ""


def _wait_until(pid: int, states: str, failure: str, record: MachineRecord, patience: float = 10) -> None:
    """Until qemu is in one of these states, or gone."""
    deadline = time.monotonic() + patience
    while _state(pid) not in ("", *states):
        if time.monotonic() > deadline:
            raise LabError(f"changing machine {record.name}: qemu (process {pid}) {failure}")
        time.sleep(0.02)


def _say_nothing(_: str) -> None:
    pass
