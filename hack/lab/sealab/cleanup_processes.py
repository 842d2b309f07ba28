"""Finding and ending the processes of a lab: those in its cgroups, and the host tools that it started."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from sealab.cleanup_cgroups import lab_cgroups
from sealab.errors import LabError
from sealab.machines_command import MARK
from sealab.machines_layout import Layout


def lab_processes(layout: Layout) -> set[int]:
    """Every process of the lab that still exists, but for this one and its parents."""
    inside = {pid for group in lab_cgroups(layout) for pid in _members(group)}
    return (inside | set(_marked(layout))) - _own_line()


def end_processes(layout: Layout, patience: float = 20) -> set[int]:
    """Kill until nothing is left: a process found late may have been started by one just killed.

    Returns whom it killed, for `wait_until_reaped`.
    """
    deadline = time.monotonic() + patience
    killed: set[int] = set()
    thaw(layout)
    while remaining := lab_processes(layout):
        if time.monotonic() > deadline:
            names = " ".join(map(str, sorted(remaining)))
            raise LabError(f"ending the processes of lab {layout.lab}: still there after {patience:g} s: {names}")
        killed |= remaining
        for pid in remaining:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        thaw(layout)
        time.sleep(0.02)
    return killed


def wait_until_reaped(killed: set[int], patience: float = 10) -> None:
    """A dead process holds nothing, but is listed until its parent has looked at it; some computers' take seconds."""
    deadline = time.monotonic() + patience
    while any(_state(pid) == "Z" for pid in killed) and time.monotonic() < deadline:
        time.sleep(0.02)


def thaw(layout: Layout) -> None:
    """Frozen processes cannot die."""
    for group in lab_cgroups(layout):
        for name, value in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
            switch = group / name
            with contextlib.suppress(FileNotFoundError):
                if switch.exists() and switch.read_text().strip() not in (value, ""):
                    switch.write_text(value)


def _members(group: Path) -> Iterator[int]:
    with contextlib.suppress(FileNotFoundError):
        for line in (group / "cgroup.procs").read_text().split():
            if not _is_zombie(int(line)):
                yield int(line)


def _marked(layout: Layout) -> Iterator[int]:
    mark = f"{MARK}={layout.lab}".encode()
    ours = (f"{layout.run}/", f"{layout.data}/")
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        # A process that ends meanwhile, or has no memory of its own (a kernel thread, a zombie), reads as nothing.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            if mark in (entry / "environ").read_bytes().split(b"\0") or _works_in(entry, ours):
                yield int(entry.name)


def _works_in(entry: Path, ours: tuple[str, ...]) -> bool:
    """`runc init` has an environment of its own, but works in its machine's bundle."""
    return any(f"{(entry / link).readlink()}/".startswith(ours) for link in ("cwd", "root"))


def _is_zombie(pid: int) -> bool:
    return _state(pid) in ("Z", "X", "")


def _state(pid: int) -> str:
    """The letter of ps(1); empty when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _own_line() -> set[int]:
    """This process and its ancestors: `down` may be run by something that `up` marked, or from the lab's folder."""
    line, pid = set(), os.getpid()
    while pid > 0:
        line.add(pid)
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return line
