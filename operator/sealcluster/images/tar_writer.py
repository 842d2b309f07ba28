"""Writes tars that depend on nothing but their entries: root's, dated 0, names in the order given.

The bytes are the identity of a part, kept in hosts' journals: a change here makes every host fetch everything again.
They are not compressed: no library's version can change them, and in a local network unpacking gzip costs more time
than sending the bytes.
"""

from __future__ import annotations

import hashlib
from typing import BinaryIO

BLOCK = 512
_CHUNK = 1 << 20
_RECORD = 20 * BLOCK


class TarWriter:
    """Writes one tar and hashes it."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._hash = hashlib.sha256()
        self.size = 0

    def _write(self, data: bytes) -> None:
        self._out.write(data)
        self._hash.update(data)
        self.size += len(data)

    def directory(self, path: str, mode: int) -> None:
        """Add a directory."""
        self._header(f"{path}/", b"5", mode, 0)

    def symlink(self, path: str, target: str) -> None:
        """Add a symbolic link."""
        self._header(path, b"2", 0o777, 0, target)

    def hardlink(self, path: str, target: str) -> None:
        """Add a second name for a file that this tar holds already."""
        self._header(path, b"1", 0o755, 0, target)

    def file(self, path: str, mode: int, source: BinaryIO, offset: int, size: int) -> None:
        """Add a file with `size` bytes from `offset` of the source."""
        self._header(path, b"0", mode, size)
        source.seek(offset)
        left = size
        while left:
            data = source.read(min(left, _CHUNK))
            if not data:
                raise OSError(f"packing {path}: the source is shorter than it was")
            self._write(data)
            left -= len(data)
        self._write(b"\0" * (-size % BLOCK))

    def close(self) -> str:
        """Write the end and return the sha256 (hex) of the whole tar."""
        self._write(b"\0" * (2 * BLOCK))
        self._write(b"\0" * (-self.size % _RECORD))
        return self._hash.hexdigest()

    def _header(self, path: str, kind: bytes, mode: int, size: int, target: str = "") -> None:
        name, link = path.encode(), target.encode()
        # GNU's way for long names: busybox reads it, too.
        for long, flag in ((link, b"K"), (name, b"L")):
            if len(long) > 100:
                self._write(_block(b"././@LongLink", flag, 0o644, len(long) + 1, b""))
                self._write(long + b"\0" * (1 + -(len(long) + 1) % BLOCK))
        self._write(_block(name[:100], kind, mode, size, link[:100]))


def _block(name: bytes, kind: bytes, mode: int, size: int, link: bytes) -> bytes:
    length = b"%011o\0" % size if size < 8**11 else b"\x80" + size.to_bytes(11)
    fields = [name.ljust(100, b"\0"), b"%07o\0" % mode, b"%07o\0" % 0, b"%07o\0" % 0, length, b"%011o\0" % 0]
    rest = [kind, link.ljust(100, b"\0"), b"ustar  \0", b"root".ljust(32, b"\0"), b"root".ljust(32, b"\0")]
    before, after = b"".join(fields), b"".join(rest)
    total = sum(before) + sum(after) + 8 * 32
    return (before + b"%06o\0 " % total + after).ljust(BLOCK, b"\0")
