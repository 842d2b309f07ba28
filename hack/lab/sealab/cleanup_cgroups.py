"""A lab's cgroups, in every hierarchy that the host has mounted (v1 has one per controller)."""

import contextlib
import os
import time
from pathlib import Path

from sealab.errors import LabError
from sealab.machines_layout import Layout


def hierarchies() -> list[Path]:
    """Mount points of all cgroup file systems."""
    lines = (line.split() for line in Path("/proc/self/mounts").read_text().splitlines())
    return [Path(point) for _, point, kind, *_ in lines if kind in ("cgroup", "cgroup2")]


def lab_cgroups(layout: Layout) -> list[Path]:
    """All cgroups of a lab, inner before outer; os.walk, because groups may vanish while it looks."""
    tops = (hierarchy / layout.cgroup for hierarchy in hierarchies())
    return [Path(folder) for top in tops for folder, _, _ in os.walk(top, topdown=False)]


def remove_cgroups(layout: Layout, patience: float = 10) -> None:
    """Remove them; the kernel needs a moment after the last process until it lets go."""
    deadline = time.monotonic() + patience
    while groups := lab_cgroups(layout):
        for group in groups:
            with contextlib.suppress(OSError):  # busy, or gone already: the loop looks again
                group.rmdir()
        if time.monotonic() > deadline:
            raise LabError(f"removing cgroups of lab {layout.lab}: still busy: {groups[0]}")
        time.sleep(0.02)
    for hierarchy in hierarchies():
        with contextlib.suppress(OSError):  # absent, or another lab is still in it
            (hierarchy / layout.cgroup).parent.rmdir()
