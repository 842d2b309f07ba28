"""Reads tar headers from untrusted files: ustar, GNU long names and the pax keys that matter; nothing else.

The standard library's reader keeps every header in memory, recurses through chains of extended headers and
trusts their sizes. This one yields entries with the place of their data and reads no data itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from sealcluster.images.errors import ImageCorrupt, TooLarge, UnsafeImage

BLOCK = 512
_MAX_EXTENDED = 64 << 10
_KINDS = {b"0": "file", b"\0": "file", b"7": "file", b"1": "hardlink", b"2": "symlink", b"5": "directory"}
_SPECIAL = {b"3": "character device", b"4": "block device", b"6": "fifo", b"S": "sparse file"}
_EXTENSIONS = (b"L", b"K", b"x", b"g")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; `offset` is where its `size` bytes of data begin in the file."""

    name: str
    kind: str
    """`file`, `directory`, `symlink` or `hardlink`."""
    mode: int
    size: int
    offset: int
    target: str = ""


class TarReader:
    """Iterates over the entries of a tar that lies uncompressed in a seekable file."""

    def __init__(self, file: BinaryIO, start: int, size: int, what: str, *, max_headers: int) -> None:
        self._file = file
        self._at = start
        self._end = start + size
        self._what = what
        self._left = max_headers
        self._pax: dict[str, str] = {}

    def __iter__(self) -> Iterator[Entry]:
        while (header := self._header()) is not None:
            entry = self._entry(header)
            if entry is not None:
                yield entry

    def _corrupt(self, problem: str) -> ImageCorrupt:
        return ImageCorrupt(f"reading {self._what}: {problem}")

    def _read(self, size: int) -> bytes:
        if self._at + size > self._end:
            raise self._corrupt("the tar is cut off")
        self._file.seek(self._at)
        data = self._file.read(size)
        if len(data) != size:
            raise self._corrupt("the tar is cut off")
        return data

    def _header(self) -> bytes | None:
        if self._at == self._end:
            return None
        header = self._read(BLOCK)
        if not any(header):
            return None
        self._left -= 1
        if self._left < 0:
            raise TooLarge(f"reading {self._what}: too many entries")
        total = sum(header) - sum(header[148:156]) + 8 * 32
        if total != self._number(header[148:156]):
            raise self._corrupt("a tar header's checksum is wrong")
        return header

    def _number(self, field: bytes) -> int:
        if field[0] & 0x80:
            value = int.from_bytes(bytes([field[0] & 0x7F]) + field[1:])
            if field[0] & 0x40 or value >= 1 << 62:
                raise self._corrupt("a number in a tar header is out of range")
            return value
        text = field.split(b"\0")[0].strip()
        if text and not (text.isdigit() and b"8" not in text and b"9" not in text):
            raise self._corrupt("a number in a tar header is none")
        return int(text or b"0", 8)

    def _text(self, data: bytes) -> str:
        try:
            return data.split(b"\0")[0].decode()
        except UnicodeDecodeError:
            raise UnsafeImage(f"reading {self._what}: a name that is not UTF-8") from None

    def _entry(self, header: bytes) -> Entry | None:
        flag = header[156:157]
        if flag in _SPECIAL:
            raise UnsafeImage(f"reading {self._what}: entry {self._name(header)[:200]!a} is a {_SPECIAL[flag]}")
        if flag in _EXTENSIONS:
            self._extension(flag, self._number(header[124:136]))
            return None
        if flag not in _KINDS:
            raise UnsafeImage(f"reading {self._what}: entry of unknown type {flag!a}")
        kind, name = _KINDS[flag], self._name(header)
        target = self._pax.get("linkpath", "") or self._text(header[157:257])
        size = self._size(header) if kind == "file" else 0
        if kind == "file" and name.endswith("/"):
            kind, size = "directory", 0  # as tars did before there was a type for directories
        offset = self._at + BLOCK
        self._at = offset + (size + BLOCK - 1) // BLOCK * BLOCK
        if offset + size > self._end:
            raise self._corrupt("the tar is cut off")
        self._at = min(self._at, self._end)
        self._pax = {}
        return Entry(name, kind, self._number(header[100:108]) & 0o7777, size, offset, target if "link" in kind else "")

    def _size(self, header: bytes) -> int:
        text = self._pax.get("size")
        if text is None:
            return self._number(header[124:136])
        if not text.isascii() or not text.isdigit() or len(text) > 18:
            raise self._corrupt("a size in a pax header is no number")
        return int(text)

    def _name(self, header: bytes) -> str:
        name = self._pax.get("path", "") or self._text(header[0:100])
        if "path" not in self._pax and header[257:263] == b"ustar\0" and header[345]:
            name = f"{self._text(header[345:500])}/{name}"
        return name

    def _extension(self, flag: bytes, size: int) -> None:
        if size > _MAX_EXTENDED:
            raise TooLarge(f"reading {self._what}: an extended header of {size} bytes")
        self._at += BLOCK
        data = self._read(size)
        self._at = min(self._at + (size + BLOCK - 1) // BLOCK * BLOCK, self._end)
        if flag == b"L":
            self._pax["path"] = self._text(data)
        elif flag == b"K":
            self._pax["linkpath"] = self._text(data)
        else:
            records = self._records(data)
            if any(key.startswith("GNU.sparse.") for key in records):
                raise UnsafeImage(f"reading {self._what}: a sparse file")
            wanted = {key: value for key, value in records.items() if key in ("path", "linkpath", "size")}
            if flag == b"g" and wanted:
                raise UnsafeImage(f"reading {self._what}: a global header that names {', '.join(sorted(wanted))}")
            self._pax |= wanted

    def _records(self, data: bytes) -> dict[str, str]:
        """Parse `<length> <key>=<value>\\n` records."""
        records: dict[str, str] = {}
        at = 0
        while at < len(data):
            space = data.find(b" ", at, at + 8)
            digits = data[at:space] if space > 0 else b""
            if not digits.isdigit():
                raise self._corrupt("a pax header is malformed")
            end = at + int(digits)
            key, equals, value = data[space + 1 : end - 1].partition(b"=")
            if end <= space + 1 or end > len(data) or data[end - 1 : end] != b"\n" or not equals:
                raise self._corrupt("a pax header is malformed")
            if key in (b"path", b"linkpath", b"size") or key.startswith(b"GNU.sparse."):
                records[self._text(key)] = self._text(value)
            at = end
        return records
