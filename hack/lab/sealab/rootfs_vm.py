"""What virtual machines need beside the root file system: Debian's cloud kernel, its modules, a tiny first root."""

import fcntl
import hashlib
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from sealab import paths
from sealab.errors import LabError
from sealab.machines_command import run
from sealab.machines_requirements import Report, install_missing
from sealab.rootfs import SOURCES, SUITE, mirror_options

DRIVERS = ("virtio_pci", "virtio_blk", "virtio_net")
TOOLS = {"qemu-system-x86_64": "qemu-system-x86", "busybox": "busybox-static", "depmod": "kmod"}


@dataclass(frozen=True)
class Kernel:
    """A kernel in the cache."""

    image: Path
    first_root: Path
    """Compressed by nothing: it has 3 MB."""
    modules: Path
    """The folder that becomes /lib/modules/<release>."""


def ensure_kernel(report: Report, lab: str) -> Kernel:
    """The virtual machines' kernel; the first call downloads it (about 10 seconds), later ones find it."""
    if platform.machine() != "x86_64":
        raise LabError(f"starting a virtual machine: only x86_64 is emulated, this is {platform.machine()}")
    install_missing(TOOLS, report)
    script = (SOURCES / "vm-init.sh").read_bytes()
    key = hashlib.sha256(f"{SUITE} {DRIVERS}\0".encode() + script).hexdigest()[:16]
    home = paths.CACHE / "vm" / key
    home.parent.mkdir(parents=True, exist_ok=True)
    with (home.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "first-root").exists():
            report("fetching the virtual machines' kernel, once")
            _fetch(home, script, lab)
    return Kernel(home / "vmlinuz", home / "first-root", next((home / "modules").iterdir()))


def _fetch(home: Path, script: bytes, lab: str) -> None:
    shutil.rmtree(home, ignore_errors=True)
    unpacked = home / "unpacked"
    home.mkdir()
    argv = ["mmdebstrap", "--variant=extract", "--include=linux-image-cloud-amd64", SUITE, str(unpacked), *mirror_options()]
    run("unshare", "--mount", *argv, lab=lab, timeout=900)
    next((unpacked / "boot").glob("vmlinuz-*")).rename(home / "vmlinuz")
    release = next((unpacked / "lib/modules").iterdir()).name
    run("depmod", "--basedir", str(unpacked), release, lab=lab)
    (unpacked / "lib/modules").rename(home / "modules")
    shutil.rmtree(unpacked)
    _make_first_root(home, home / "modules" / release, script, lab)


def _make_first_root(home: Path, modules: Path, script: bytes, lab: str) -> None:
    root = home / "first"
    for folder in ("bin", "dev", "proc", "root", "modules"):
        (root / folder).mkdir(parents=True)
    (root / "init").write_bytes(script)
    (root / "init").chmod(0o755)
    busybox = shutil.which("busybox")
    if busybox is None:
        raise LabError("making a virtual machine's first root: busybox is not on PATH")
    shutil.copy(busybox, root / "bin/busybox")
    order = _in_order(modules)
    for path in order:
        shutil.copy(modules / path, root / "modules" / Path(path).name)
    (root / "modules/order").write_text("\n".join(Path(path).stem for path in order))
    archive = home / "first-root.part"
    pack = 'cd "$1" && find . | busybox cpio -o -H newc > "$2"'
    run("sh", "-ec", pack, "pack", str(root), str(archive), lab=lab)
    shutil.rmtree(root)
    archive.rename(home / "first-root")


def _in_order(modules: Path) -> list[str]:
    """The drivers' module files, each after those it depends on."""
    needs = {}
    for line in (modules / "modules.dep").read_text().splitlines():
        path, _, others = line.partition(":")
        needs[path] = others.split()
    order: list[str] = []

    def visit(path: str) -> None:
        for other in needs[path]:
            visit(other)
        if path not in order:
            order.append(path)

    for driver in DRIVERS:
        visit(next(path for path in needs if Path(path).stem == driver))
    return order
