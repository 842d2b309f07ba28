"""The file system of one machine: files by absolute path, with an index of directories so that looking is cheap."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field


class DiskFull(OSError):
    """No space left on the device."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path}: No space left on device")


@dataclass(slots=True)
class Entry:
    """One regular file."""

    content: bytes
    mode: int = 0o644
    digest: str = ""
    """sha256 of the content, made at the first look."""

    def sha256(self) -> str:
        """Hex digest."""
        if not self.digest:
            self.digest = hashlib.sha256(self.content).hexdigest()
        return self.digest


@dataclass
class FileSystem:
    """Files by path. While `full`, nothing can be written."""

    entries: dict[str, Entry] = field(default_factory=dict)
    full: bool = False
    _names: dict[str, set[str]] = field(default_factory=dict)
    """Directory to the names of the files directly in it."""
    _inside: Counter[str] = field(default_factory=Counter)
    """Directory to how many files are in it and below it."""

    def write(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Replace a file whole. Raises `DiskFull`."""
        if self.full:
            raise DiskFull(path)
        self.force(path, content, mode)

    def force(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Write although the disk is full: room was reserved, or it happens at boot."""
        if path not in self.entries:
            directory, _, name = path.rpartition("/")
            self._names.setdefault(directory, set()).add(name)
            self._count(path, 1)
        self.entries[path] = Entry(content, mode)

    def _count(self, path: str, by: int) -> None:
        directory = path.rpartition("/")[0]
        while directory:
            self._inside[directory] += by
            directory = directory.rpartition("/")[0]

    def read(self, path: str) -> bytes | None:
        """The content; None when there is no such file."""
        entry = self.entries.get(path)
        return None if entry is None else entry.content

    def text(self, path: str) -> str:
        """The content as text; empty when there is no such file."""
        return (self.read(path) or b"").decode()

    def exists(self, path: str) -> bool:
        """True for a file, and for a directory that holds one."""
        return path in self.entries or self._inside[path.rstrip("/")] > 0

    def below(self, directory: str) -> list[str]:
        """Paths of all files below a directory, sorted."""
        if not self._inside[directory.rstrip("/")]:
            return []
        prefix = directory.rstrip("/") + "/"
        return sorted(p for p in self.entries if p.startswith(prefix))

    def names(self, directory: str) -> frozenset[str]:
        """Names of the files directly in a directory."""
        return frozenset(self._names.get(directory.rstrip("/"), ()))

    def remove(self, path: str) -> None:
        """Remove a file, or a directory with everything in it; absent already is fine."""
        for found in [path, *self.below(path)]:
            if self.entries.pop(found, None) is not None:
                directory, _, name = found.rpartition("/")
                self._names[directory].discard(name)
                self._count(found, -1)

    def sha256(self, path: str) -> str | None:
        """Hex digest of the content; None when there is no such file."""
        entry = self.entries.get(path)
        return None if entry is None else entry.sha256()
