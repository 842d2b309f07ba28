"""Packs files into one deterministic layer: sorted names, time 0, owner root, a fixed compressor."""

import hashlib
import io
import os
import stat
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sealab.errors import LabError
from sealab.oci import LAYER, Blobs, Layer

_COMPRESSORS: dict[str, tuple[str, tuple[str, ...]]] = {
    "none": ("", ()),
    "gzip": ("+gzip", ("gzip", "-1", "-n", "-c")),
    "zstd": ("+zstd", ("zstd", "-q", "-3", "-T1", "-c")),
}
"""Name -> suffix of the media type, command. One thread: the bytes do not depend on the machine's cores."""


@dataclass(frozen=True)
class Entry:
    """One path of a layer, relative to its root. Exactly one of `content`, `source`, `link` or none (folder)."""

    path: str
    content: bytes | None = None
    source: Path | None = None
    link: str | None = None
    mode: int = 0o644


def tree(root: Path, prefix: str = "", *, keep_modes: bool = True) -> Iterator[Entry]:
    """Entries of a folder's files, links and folders, below `prefix`; modes as they are or 0644/0755."""
    for path in sorted(root.rglob("*")):
        name = str(Path(prefix) / path.relative_to(root))
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            yield Entry(name, link=os.readlink(path))  # noqa: PTH115 - the text of the link, unresolved
        elif stat.S_ISDIR(mode):
            yield Entry(name, mode=stat.S_IMODE(mode) if keep_modes else 0o755)
        elif stat.S_ISREG(mode):
            plain = 0o755 if mode & 0o111 else 0o644
            yield Entry(name, source=path, mode=stat.S_IMODE(mode) if keep_modes else plain)


def layer(blobs: Blobs, entries: Iterable[Entry], compression: str) -> Layer:
    """Packs entries (parents are added, later duplicates win) with `none`, `gzip` or `zstd`."""
    suffix, command = _COMPRESSORS[compression]
    handle, name = tempfile.mkstemp(dir=blobs.root, prefix=".layer-")
    try:
        with os.fdopen(handle, "wb") as file:
            if not command:
                sink = _Digesting(file)
                _write_tar(sink, entries)
                digest = diff_id = sink.digest
            else:
                diff_id, digest = _through(command, file, entries)
        return Layer(blobs.adopt(Path(name), digest, LAYER + suffix), diff_id)
    finally:
        Path(name).unlink(missing_ok=True)


def _through(command: tuple[str, ...], file: IO[bytes], entries: Iterable[Entry]) -> tuple[str, str]:
    try:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=file)
    except FileNotFoundError as error:
        raise LabError(f"packing a layer: no {command[0]} on this machine; install it") from error
    with process:
        assert process.stdin is not None
        sink = _Digesting(process.stdin)
        _write_tar(sink, entries)
        process.stdin.close()
    if process.returncode != 0:
        raise LabError(f"packing a layer: {command[0]} exited {process.returncode}")
    with Path(f"/proc/self/fd/{file.fileno()}").open("rb") as packed:
        return sink.digest, f"sha256:{hashlib.file_digest(packed, 'sha256').hexdigest()}"


class _Digesting(io.RawIOBase):
    """Passes written bytes on and hashes them."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self._hash = hashlib.sha256()
        self._written = 0

    def write(self, data: bytes) -> int:  # type: ignore[override]  # typeshed wants any buffer
        self._hash.update(data)
        self._target.write(data)
        self._written += len(data)
        return len(data)

    def tell(self) -> int:
        return self._written

    @property
    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"


def _write_tar(sink: _Digesting, entries: Iterable[Entry]) -> None:
    by_path: dict[str, Entry] = {}
    for entry in entries:
        for parent in reversed(Path(entry.path).parents[:-1]):
            by_path.setdefault(str(parent), Entry(str(parent), mode=0o755))
        by_path[entry.path] = entry
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.PAX_FORMAT, copybufsize=1 << 20) as tar:
        for path in sorted(by_path):
            _add(tar, by_path[path])


def _add(tar: tarfile.TarFile, entry: Entry) -> None:
    info = tarfile.TarInfo(entry.path)
    info.mode = entry.mode
    if entry.link is not None:
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, entry.link, 0o777
        tar.addfile(info)
    elif entry.content is not None:
        info.size = len(entry.content)
        tar.addfile(info, io.BytesIO(entry.content))
    elif entry.source is not None:
        info.size = entry.source.stat().st_size
        with entry.source.open("rb") as content:
            tar.addfile(info, content)
    else:
        info.type, info.mode = tarfile.DIRTYPE, entry.mode if entry.mode & 0o111 else 0o755
        tar.addfile(info)
