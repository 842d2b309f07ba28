"""The file system of one machine: a flat map of absolute paths."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field


class DiskFull(OSError):
    """No space left on the device."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path}: No space left on device")


@dataclass(frozen=True, slots=True)
class Entry:
    """One regular file."""

    content: bytes
    mode: int = 0o644


@dataclass
class FileSystem:
    """Files by path. While `full`, nothing that was not there can be written (existing files may shrink or go)."""

    entries: dict[str, Entry] = field(default_factory=dict)
    full: bool = False

    def write(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Replace a file whole. Raises `DiskFull`."""
        if self.full:
            raise DiskFull(path)
        self.entries[path] = Entry(content, mode)

    def read(self, path: str) -> bytes | None:
        """The content; None when there is no such file."""
        entry = self.entries.get(path)
        return None if entry is None else entry.content

    def text(self, path: str) -> str:
        """The content as text; empty when there is no such file."""
        return (self.read(path) or b"").decode()

    def exists(self, path: str) -> bool:
        """True for a file, and for a directory that holds one."""
        return path in self.entries or any(p.startswith(path.rstrip("/") + "/") for p in self.entries)

    def below(self, directory: str) -> list[str]:
        """Paths of all files below a directory, sorted."""
        prefix = directory.rstrip("/") + "/"
        return sorted(p for p in self.entries if p.startswith(prefix))

    def names(self, directory: str) -> frozenset[str]:
        """Names of the files directly in a directory."""
        prefix = directory.rstrip("/") + "/"
        return frozenset(p[len(prefix) :] for p in self.entries if p.startswith(prefix) and "/" not in p[len(prefix) :])

    def remove(self, path: str) -> None:
        """Remove a file, or a directory with everything in it; absent already is fine."""
        self.entries.pop(path, None)
        for inner in self.below(path):
            del self.entries[inner]

    def sha256(self, path: str) -> str | None:
        """Hex digest of the content; None when there is no such file."""
        content = self.read(path)
        return None if content is None else hashlib.sha256(content).hexdigest()
