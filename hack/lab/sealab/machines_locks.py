"""One change of a lab at a time, and one allocation between labs at a time."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from sealab import paths
from sealab.errors import LabError
from sealab.machines_layout import Layout


@contextlib.contextmanager
def lab_lock(layout: Layout, patience: float = 60) -> Iterator[None]:
    """Keep other commands away from a lab; the lock of a process that died is free."""
    path = layout.run.with_name(f"{layout.lab}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + patience
    while True:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).decode()
            os.close(descriptor)
            if time.monotonic() > deadline:
                raise LabError(f"changing lab {layout.lab}: process {holder} is changing it; wait for it or end it") from None
            time.sleep(0.1)
            continue
        if _is_same_file(path, descriptor):
            break
        os.close(descriptor)  # the one who held it removed the file: what was locked is nobody's lock any more
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _is_same_file(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def abandoned_locks() -> list[str]:
    """Names of labs whose lock was left by a process that is gone."""
    holders = ((file.stem, file.read_text()) for file in paths.RUN.glob("*.lock"))
    return [name for name, pid in holders if not Path(f"/proc/{pid or 0}").exists()]


@contextlib.contextmanager
def global_lock() -> Iterator[None]:
    """Held for moments only: choosing a subnet, remembering and restoring the host's settings."""
    paths.CACHE.mkdir(parents=True, exist_ok=True)
    with (paths.CACHE / ".machines.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
