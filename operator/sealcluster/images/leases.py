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


class Use:
    """What one piece of work relies on until it ends. Others may use the same: it is let go with the last of them."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = frozenset(names)
        self.over = False


class Lease:
    """This process' lease on one store."""

    def __init__(self, root: Path) -> None:
        self._directory = root / "leases"
        self._directory.mkdir(parents=True, exist_ok=True)
        self._gate = root / "gate"
        self._held: set[str] = set()
        self._uses: list[Use] = []
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

    def begin(self, use: Use) -> None:
        """Keep what it needs. Whoever was cancelled may have ended it before: then there is nothing to keep."""
        with self._mutex:
            if not use.over:
                with self._passing(fcntl.LOCK_SH):
                    self._append(use.names)
                self._uses.append(use)

    def end(self, use: Use) -> None:
        """Let the collector have what nobody else here uses or holds."""
        with self._mutex:
            use.over = True
            if use in self._uses:
                self._uses.remove(use)
                with self._passing(fcntl.LOCK_SH):
                    self._file.seek(0)
                    self._file.truncate()
                    self._append(self._relied())

    def close(self) -> None:
        """Give everything up; the lease cannot be used any more."""
        with self._mutex, self._passing(fcntl.LOCK_SH):
            Path(self._file.name).unlink(missing_ok=True)
            self._file.close()
            self._held.clear()
            self._uses.clear()

    @contextmanager
    def collecting(self) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
        """Keep every process from holding more; yield what all of them hold, and the names of the living leases."""
        with self._mutex, self._passing(fcntl.LOCK_EX):
            held, living = self._relied(), {self.name}
            for path in self._directory.iterdir():
                names = None if path.name == self.name else self._read(path)
                if names is not None:
                    held |= names
                    living.add(path.name)
            yield frozenset(held), frozenset(living)

    def _relied(self) -> set[str]:
        return self._held.union(*(use.names for use in self._uses))

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
