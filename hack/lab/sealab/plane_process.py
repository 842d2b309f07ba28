"""Processes of a management plane: started detached, known by pid and start time, marked, ended for sure."""

import os
import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sealab.errors import LabError

MARK = "SEALAB_PLANE"
"""Environment variable of every process of a plane; its value is the plane's folder.

It finds the process that was started an instant before `plane-up` was killed and never got into the record.
"""


@dataclass(frozen=True)
class Process:
    """A process that cannot be mistaken for a later one with the same pid."""

    pid: int
    started: int
    """Start time in clock ticks since boot."""

    @classmethod
    def of(cls, pid: int) -> "Process | None":
        """The running process with this pid; None when there is none, or only a zombie is left of it."""
        try:
            text = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return None
        fields = text.rpartition(")")[2].split()  # the command's name may hold spaces and brackets
        return None if fields[0] in "ZX" else cls(pid, int(fields[19]))

    @property
    def alive(self) -> bool:
        """True while exactly this process runs."""
        return Process.of(self.pid) == self

    def send(self, number: int) -> None:
        """Send a signal, unless the process is gone."""
        if not self.alive:
            return
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return  # it went between the look and the signal: what was wanted


def spawn(argv: Sequence[str], log: Path, mark: Path, env: Mapping[str, str] | None = None) -> Process:
    """Start a command in a session of its own with its output in a file; it outlives the caller."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(mark), MARK: str(mark), **(env or {})}
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    pid = os.posix_spawn(
        argv[0],
        list(argv),
        environment,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    process = Process.of(pid)
    if process is None:
        _reap(pid)
        raise LabError(f"starting {Path(argv[0]).name}: it ended at once; see {log}")
    return process


def marked(mark: Path) -> list[Process]:
    """Every process that carries this mark."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            environment = (folder / "environ").read_bytes()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it ended, or it is another user's and so none of ours
        if wanted in environment.split(b"\0"):
            process = Process.of(int(folder.name))
            if process is not None:
                found.append(process)
    return found


def end(processes: Iterable[Process], timeout: float = 10) -> None:
    """End processes at once: a plane holds nothing that is worth an orderly end. Raises LabError if one stays."""
    remaining = list(processes)
    for process in remaining:
        process.send(signal.SIGKILL)
    deadline = time.monotonic() + timeout
    while remaining:
        for process in remaining:
            _reap(process.pid)
        remaining = [process for process in remaining if process.alive]
        if remaining and time.monotonic() > deadline:
            raise LabError(f"ending processes {[process.pid for process in remaining]}: still there after SIGKILL")
        time.sleep(0.01 if remaining else 0)


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return  # started by an earlier command: init reaps it
