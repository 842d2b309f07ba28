"""Removing every trace of one lab, whatever state it is in: running, half made, crashed, or gone already."""

import contextlib
import shutil
from pathlib import Path

from sealab.cleanup_cgroups import remove_cgroups
from sealab.cleanup_processes import end_processes
from sealab.machines_command import run
from sealab.machines_disk import unmount_below
from sealab.machines_layout import Layout
from sealab.network import remove_network


def sweep(layout: Layout) -> set[int]:
    """End processes, then take away what they used: mounts, loop devices, cgroups, network, files.

    Returns the processes that were killed (see `wait_until_reaped`).
    """
    killed = end_processes(layout)
    unmount_below(layout.data)
    _detach_loops(layout.data)
    remove_cgroups(layout)
    remove_network(layout)
    _remove_files(layout)
    return killed


def _remove_files(layout: Layout) -> None:
    """lab.json goes last: as long as anything is left, the lab is listed and can be taken down."""
    for folder in (layout.data, *layout.run.glob("*")):
        if folder == layout.state:
            continue
        if folder.is_dir():
            shutil.rmtree(folder)
        else:
            folder.unlink(missing_ok=True)
    layout.state.unlink(missing_ok=True)
    for folder in (layout.run, layout.data.parent):
        with contextlib.suppress(OSError):  # absent, or other labs are still in it
            folder.rmdir()


def _detach_loops(folder: Path) -> None:
    """A loop device frees itself with its last unmount; one that was never mounted is freed here."""
    for device in Path("/sys/block").glob("loop*"):
        with contextlib.suppress(FileNotFoundError):
            backing = (device / "loop/backing_file").read_text().strip()
            if backing.startswith(f"{folder}/"):
                run("losetup", "--detach", f"/dev/{device.name}", check=False)
