"""Decompresses layers into a scratch file, checking both digests and every bound on the way; constant memory."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, cast

import zstandard

from sealcluster.images.errors import DigestMismatch, ImageCorrupt, TooLarge
from sealcluster.images.limits import Limits
from sealcluster.images.unpack import Layer

CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ZSTD_WINDOW = 32 << 20  # what decompression may keep in memory; only `--long` and `--ultra` need more


@dataclass(frozen=True, slots=True)
class Span:
    """`size` bytes at `offset` of a file: a blob of the store or a member of an archive."""

    path: Path
    offset: int
    size: int


class _Source:
    """Reads a span and hashes what it reads."""

    def __init__(self, file: BinaryIO, span: Span) -> None:
        self._file = file
        self._left = span.size
        self.read_bytes = 0
        self.hash = hashlib.sha256()
        file.seek(span.offset)

    def read(self, size: int = CHUNK) -> bytes:
        data = self._file.read(min(size if size >= 0 else CHUNK, self._left, CHUNK))
        self._left -= len(data)
        self.read_bytes += len(data)
        self.hash.update(data)
        return data


class _Reader(Protocol):
    def read(self, size: int) -> bytes: ...


def open_layer(span: Span, digest: str | None, diff_id: str, scratch: Path, limits: Limits, left: int, what: str) -> Layer:
    """Return the uncompressed layer; what is not compressed is used where it lies.

    `digest` (hex) is that of the bytes as they travelled, None where they were verified already or have none;
    `diff_id` (hex) that of the uncompressed tar; `left` bounds the size. Blocking: call it in a thread.
    """
    with span.path.open("rb") as file:
        file.seek(span.offset)
        magic = file.read(min(4, span.size))
        source = _Source(file, span)
        if magic[:2] == _GZIP:
            layer = _inflate(_gunzip(source, what), source, diff_id, scratch, limits, left, what)
        elif magic == _ZSTD:
            decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
            layer = _inflate(
                _chunks(decompressor.stream_reader(cast(BinaryIO, source), read_across_frames=True), what),
                source,
                diff_id,
                scratch,
                limits,
                left,
                what,
            )
        else:
            layer = Layer(span.path, span.offset, span.size)
        while source.read():
            pass  # also what stands behind the end of the compressed stream belongs to the blob
    found = source.hash.hexdigest()
    if layer.path == span.path and (span.size > left or found != diff_id):
        raise TooLarge(f"reading {what}: more than {left} bytes") if span.size > left else DigestMismatch(f"reading {what}: diff id")
    if digest is not None and found != digest:
        raise DigestMismatch(f"reading {what}: the content has sha256:{found}, the manifest says sha256:{digest}")
    return layer


def _gunzip(source: _Source, what: str) -> Iterator[bytes]:
    inflater = zlib.decompressobj(31)
    pending = b""
    try:
        while data := pending or source.read(256 << 10):
            if inflater.eof:
                if not data.strip(b"\0"):
                    pending = b""
                    continue  # padding behind the last member
                inflater = zlib.decompressobj(31)
            yield inflater.decompress(data, CHUNK)
            pending = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
    except zlib.error:
        raise ImageCorrupt(f"reading {what}: the gzip stream is damaged") from None
    if not inflater.eof:
        raise ImageCorrupt(f"reading {what}: the gzip stream is cut off")


def _chunks(reader: _Reader, what: str) -> Iterator[bytes]:
    try:
        while data := reader.read(CHUNK):
            yield data
    except zstandard.ZstdError as error:
        raise ImageCorrupt(f"reading {what}: the zstd stream is damaged or needs too much memory: {error}") from None


def _inflate(chunks: Iterator[bytes], source: _Source, diff_id: str, scratch: Path, limits: Limits, left: int, what: str) -> Layer:
    total = 0
    content = hashlib.sha256()
    with scratch.open("wb") as out:
        for chunk in chunks:
            total += len(chunk)
            if total > left:
                raise TooLarge(f"unpacking {what}: more than {left} bytes are left for it")
            if total > limits.ratio_free and total > source.read_bytes * limits.ratio:
                raise TooLarge(f"unpacking {what}: it grows more than {limits.ratio} times")
            content.update(chunk)
            out.write(chunk)
    if content.hexdigest() != diff_id:
        raise DigestMismatch(f"unpacking {what}: the tar has sha256:{content.hexdigest()}, the configuration says sha256:{diff_id}")
    return Layer(scratch, 0, total)
