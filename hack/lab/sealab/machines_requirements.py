"""What the host must be and have before a machine can run on it; what can be installed is installed."""

import contextlib
import os
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from sealab import paths
from sealab.errors import LabError
from sealab.machines_command import run

TOOLS = {
    "runc": "runc",
    "mmdebstrap": "mmdebstrap",
    "ip": "iproute2",
    "tc": "iproute2",
    "iptables": "iptables",
    "mke2fs": "e2fsprogs",
    "mount": "mount",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "depmod": "kmod",
}
"""Commands that the machines need, and the Debian package of each."""

NEEDED_BYTES = 4 << 30
"""Free disk that the image and a few machines take; their disks are sparse and grow with use."""

POLICY = Path("/usr/sbin/policy-rc.d")
"""What Debian's packages ask before they start a service; one that is there is somebody else's, and stays."""

Report = Callable[[str], None]


def require_host() -> None:
    """Refuse, with one sentence, a host that cannot run machines at all."""
    if platform.system() != "Linux":
        raise LabError(f"starting machines: this is {platform.system()}; they need Linux (a virtual machine will do)")
    if os.geteuid() != 0:
        raise LabError("starting machines: not root; run the same command with sudo")


def require_disk(folder: Path, needed: int = NEEDED_BYTES) -> None:
    """Refuse to start what would fill the host's disk."""
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise LabError(
            f"starting machines: {folder} has {free / 2**30:.1f} GiB free, {needed / 2**30:.1f} GiB are needed;"
            " free some space or point SEALAB_CACHE and SEALAB_DATA elsewhere"
        )


def require_tools(report: Report) -> None:
    """Install the missing tools with apt; elsewhere than on Debian and its children, name them."""
    install_missing(TOOLS, report)
    if not Path("/usr/share/keyrings/debian-archive-keyring.gpg").exists():
        install(["debian-archive-keyring"], report)


def install_missing(tools: Mapping[str, str], report: Report) -> None:
    """Install the packages (values) of commands (keys) that are not there."""
    missing = sorted({package for tool, package in tools.items() if shutil.which(tool, path=SEARCH) is None})
    if missing:
        install(missing, report)


def install(packages: list[str], report: Report) -> None:
    """Install Debian packages on the host."""
    names = " ".join(packages)
    if shutil.which("apt-get") is None:
        raise LabError(f"starting machines: {names} missing and there is no apt-get; install them and try again")
    report(f"installing on this host: {names}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run("apt-get", "-qq", "update", timeout=600, env=quiet)
    with _nothing_starts():
        run("apt-get", "-qq", "install", "--no-install-recommends", "-y", *packages, timeout=1200, env=quiet)


def find_or_install(tool: str, package: str, service: str, report: Report) -> str:
    """Path of a server's program. Where its package has to be installed for it, its service is neither started nor enabled."""
    found = shutil.which(tool, path=SEARCH)
    if found is None:
        install([package], report)
        if Path("/run/systemd/system").exists():
            run("systemctl", "disable", "--now", "--quiet", service)
        found = shutil.which(tool, path=SEARCH)
    if found is None:
        raise LabError(f"looking for {tool}: the package {package} is installed and does not have it")
    return found


@contextlib.contextmanager
def _nothing_starts() -> Iterator[None]:
    """What a package installs is for us to start: no service of it runs on a machine that is somebody's."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()


def require_kernel() -> None:
    """Load what the kernel keeps in modules, and refuse a kernel that lacks it."""
    for module, proof in (("overlay", None), ("br_netfilter", "/proc/sys/net/bridge"), ("loop", "/dev/loop-control")):
        present = Path(proof).exists() if proof else _knows_filesystem(module)
        if present:
            continue
        if run("modprobe", module, check=False).returncode:
            raise LabError(f"starting machines: the kernel has no {module}; load or install that kernel module")


def _knows_filesystem(name: str) -> bool:
    return any(line.split()[-1] == name for line in Path("/proc/filesystems").read_text().splitlines())


def require_everything(report: Report) -> None:
    """All of the above, cheapest first."""
    require_host()
    require_disk(paths.CACHE)
    require_disk(paths.DATA)
    require_tools(report)
    require_kernel()


SEARCH = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
