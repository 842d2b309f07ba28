"""A machine's own disk: one sparse file with ext4 in it, holding everything that the machine ever writes.

The root is an overlay (shared lower, upper on the disk). /var is a directory of the disk itself, because containerd's
overlayfs snapshotter cannot work on top of another overlay.
"""

import errno
import os
import shutil
import time
from pathlib import Path

from sealab.errors import LabError
from sealab.machines_command import last_words, run
from sealab.machines_layout import Layout


def make_disk(layout: Layout, machine: str, size: int) -> None:
    """Create the disk's file and the file system in it: no journal, for what crashes here is never the kernel."""
    # Not for other users of the host: the disks hold keys, and their sudo would be one on the host.
    layout.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    image = layout.image(machine)
    image.parent.mkdir()
    with image.open("wb") as file:
        file.truncate(size)
    options = "lazy_itable_init=1,nodiscard"
    run("mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-E", options, "-m", "0", str(image), lab=layout.lab)


def mount_disk(layout: Layout, machine: str, lower: Path) -> None:
    """Mount disk and root on the host. The loop device frees itself with the last unmount."""
    disk, rootfs = layout.disk(machine), layout.rootfs(machine)
    disk.mkdir(exist_ok=True)
    rootfs.mkdir(exist_ok=True)
    # barrier=0: an fsync need not reach the host's disk, which many etcds would share.
    options = "loop,discard,barrier=0,noinit_itable"
    run("mount", "-t", "ext4", "-o", options, str(layout.image(machine)), str(disk), lab=layout.lab)
    fresh = not (disk / "upper").exists()
    for part in ("upper", "work"):
        (disk / part).mkdir(exist_ok=True)
    overlay = f"lowerdir={lower},upperdir={disk / 'upper'},workdir={disk / 'work'}"
    run("mount", "-t", "overlay", "-o", overlay, "sealab", str(rootfs), lab=layout.lab)
    if fresh:
        run("cp", "-a", str(lower / "var"), str(disk / "var"), lab=layout.lab)
    run("mount", "--bind", str(disk / "var"), str(rootfs / "var"), lab=layout.lab)


def is_mounted(layout: Layout, machine: str) -> bool:
    """Whether the machine's disk is mounted on the host."""
    return bool(mount_points_below(layout.machine_data(machine)))


def unmount_disk(layout: Layout, machine: str) -> None:
    """Unmount root and disk; what is not mounted is fine."""
    unmount_below(layout.machine_data(machine))


def unmount_below(folder: Path, patience: float = 10) -> None:
    """Unmount every mount point inside a folder, last mounted first.

    A dead process' mount namespace holds on to mounts for a moment, so it tries again until `patience` seconds are over.
    """
    deadline = time.monotonic() + patience
    while points := mount_points_below(folder):
        for point in reversed(points):
            done = run("umount", point, check=False)
            if done.returncode and time.monotonic() > deadline:
                raise LabError(f"unmounting {point}: {last_words(done)}")
        time.sleep(0.02)


def mount_points_below(folder: Path) -> list[str]:
    """In the order in which they were mounted; a point appears once per mount on it."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    points = (line.split()[4].replace("\\040", " ") for line in lines)
    return [point for point in points if point.startswith(f"{folder}/")]


def fill_disk(layout: Layout, machine: str, leave: int) -> None:
    """Take all but `leave` bytes of the disk (to about 64 KiB, for the file system needs some for itself)."""
    disk = layout.disk(machine)
    with (disk / "ballast").open("ab") as ballast:
        step = 1 << 30
        while step >= 4096:
            free = shutil.disk_usage(disk).free - leave
            if (leave and step > free) or not _grow(ballast.fileno(), step):
                step //= 2


def _grow(descriptor: int, size: int) -> bool:
    """Add real blocks to a file; False when the disk has not that many."""
    try:
        os.posix_fallocate(descriptor, os.fstat(descriptor).st_size, size)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return False
    return True


def free_disk(layout: Layout, machine: str) -> None:
    """Give back what `fill_disk` took."""
    (layout.disk(machine) / "ballast").unlink(missing_ok=True)
