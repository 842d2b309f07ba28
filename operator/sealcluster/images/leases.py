"""What a process relies on, so that another process' garbage collection leaves it alone.

A lease is a file that its process keeps locked as long as it lives and to which it appends one digest a line. The
collector takes the gate exclusively while it reads leases and deletes; a process passes the gate, shared, while it
appends. So whatever `hold` returned for is safe, and a lease whose lock is free is a dead process'.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


class Lease:
    """This process' lease on one store."""

    def __init__(self, root: Path) -> None:
        self._directory = root / "leases"
        self._directory.mkdir(parents=True, exist_ok=True)
        self._gate = root / "gate"
        self._held: set[str] = set()
        self._mutex = threading.Lock()
        self.name = f"{os.getpid()}-{secrets.token_hex(6)}"
        with self._passing(fcntl.LOCK_SH):
            self._file = (self._directory / self.name).open("xb")
            fcntl.flock(self._file, fcntl.LOCK_EX)

    def hold(self, name: str) -> None:
        """Keep content or an image record from being collected until this process ends."""
        with self._mutex:
            if name in self._held:
                return
            with self._passing(fcntl.LOCK_SH):
                self._append([name])
            self._held.add(name)

    def release(self, names: Iterable[str]) -> None:
        """Let the collector have these when it needs room."""
        with self._mutex, self._passing(fcntl.LOCK_SH):
            self._held.difference_update(names)
            self._file.seek(0)
            self._file.truncate()
            self._append(self._held)

    def close(self) -> None:
        """Give everything up; the lease cannot be used any more."""
        with self._mutex, self._passing(fcntl.LOCK_SH):
            Path(self._file.name).unlink(missing_ok=True)
            self._file.close()
            self._held.clear()

    @contextmanager
    def collecting(self) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
        """Keep every process from holding more; yield what all of them hold, and the names of the living leases."""
        with self._mutex, self._passing(fcntl.LOCK_EX):
            held, living = set(self._held), {self.name}
            for path in self._directory.iterdir():
                names = None if path.name == self.name else self._read(path)
                if names is not None:
                    held |= names
                    living.add(path.name)
            yield frozenset(held), frozenset(living)

    def _append(self, names: Iterable[str]) -> None:
        self._file.write("".join(f"{name}\n" for name in names).encode())
        self._file.flush()

    def _read(self, path: Path) -> set[str] | None:
        """Return what a living process holds; a dead one's lease is removed."""
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return set(file.read().decode().split())
            path.unlink(missing_ok=True)
            return None

    @contextmanager
    def _passing(self, how: int) -> Iterator[None]:
        with self._gate.open("ab") as gate:
            fcntl.flock(gate, how)
            yield
