"""The OCI runtime specification of a machine: as close to a computer of its own as a container gets."""

import resource
from pathlib import Path
from typing import Any

from sealab.machines_layout import Layout
from sealab.machines_modules import host_modules

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Numbers of <linux/capability.h>, in order.
_CAPABILITY_NAMES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE"
    " NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN"
    " SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE"
    " MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
)


def specification(layout: Layout, machine: str, hostname: str) -> dict[str, Any]:
    """What runc needs to know to start one machine."""
    capabilities = _bounding_set()
    _, open_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    return {
        "ociVersion": "1.0.2",
        "hostname": hostname,
        "process": {
            "terminal": False,
            "user": {"uid": 0, "gid": 0},
            "args": ["/sbin/init"],
            "cwd": "/",
            "env": [f"PATH={PATH}", "container=docker", "TERM=linux", "HOME=/root"],
            "capabilities": dict.fromkeys(("bounding", "effective", "permitted"), capabilities),
            "rlimits": [{"type": "RLIMIT_NOFILE", "soft": min(1024, open_files), "hard": open_files}],
        },
        "root": {"path": str(layout.rootfs(machine)), "readonly": False},
        "mounts": _mounts(),
        "linux": {
            "namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount", "cgroup")],
            "cgroupsPath": f"/{layout.cgroup}/{machine}",
            "resources": {"devices": [{"allow": True, "access": "rwm"}]},
            # kubelet reads the kernel log and dies at start without /dev/kmsg.
            "devices": [_device("kmsg", 1, 11), _device("fuse", 10, 229), _device("net/tun", 10, 200)],
            "maskedPaths": [],
            "readonlyPaths": [],
            "rootfsPropagation": "rslave",
        },
    }


def _bounding_set() -> list[str]:
    """Everything this process may hand on, but for the clock: it is the host's, and everybody's."""
    status = Path("/proc/self/status").read_text()
    mask = int(status.split("CapBnd:")[1].split()[0], 16)
    return [f"CAP_{name}" for bit, name in enumerate(_CAPABILITY_NAMES.split()) if mask >> bit & 1 and name != "SYS_TIME"]


def _device(name: str, major: int, minor: int) -> dict[str, Any]:
    return {"path": f"/dev/{name}", "type": "c", "major": major, "minor": minor, "fileMode": 0o666, "uid": 0, "gid": 0}


def _mounts() -> list[dict[str, Any]]:
    mounts = [
        _mount("/proc", "proc", "nosuid", "noexec", "nodev"),
        _mount("/dev", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
        _mount("/dev/pts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"),
        _mount("/dev/shm", "tmpfs", "nosuid", "nodev", "mode=1777"),
        _mount("/dev/mqueue", "mqueue", "nosuid", "noexec", "nodev"),
        _mount("/sys", "sysfs", "nosuid", "noexec", "nodev"),
        _mount("/sys/fs/cgroup", "cgroup", "nosuid", "noexec", "nodev", "relatime"),
        _mount("/run", "tmpfs", "nosuid", "nodev", "mode=755"),
        _mount("/run/lock", "tmpfs", "nosuid", "nodev", "noexec", "mode=1777", "size=5242880"),
    ]
    if folder := host_modules():
        mounts.append({"destination": str(folder), "type": "bind", "source": str(folder), "options": ["rbind", "ro"]})
    return mounts


def _mount(destination: str, kind: str, *options: str) -> dict[str, Any]:
    return {"destination": destination, "type": kind, "source": kind, "options": list(options)}
