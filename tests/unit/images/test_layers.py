"""Decompression: digests, bombs, damage, and how much memory it takes."""

import gzip
import os
import zlib
from pathlib import Path

import pytest
import zstandard

from sealcluster.images.errors import DigestMismatch, ImageCorrupt, TooLarge
from sealcluster.images.layers import Span, open_layer
from sealcluster.images.limits import GIB, Limits
from sealcluster.images.unpack import Layer
from unit.images.builders import sha

CONTENT = os.urandom(200_000) + b"\0" * 300_000


def _open(
    tmp_path: Path, packed: bytes, *, digest: str | None = "", diff_id: str = "", limits: Limits | None = None, left: int = GIB
) -> Layer:
    path = tmp_path / "blob"
    path.write_bytes(b"junk" + packed + b"more junk")
    span = Span(path, 4, len(packed))
    return open_layer(
        span, sha(packed) if digest == "" else digest, diff_id or sha(CONTENT), tmp_path / "out", limits or Limits(), left, "layer 1"
    )


def _content(layer: Layer) -> bytes:
    with layer.path.open("rb") as file:
        file.seek(layer.offset)
        return file.read(layer.size)


@pytest.mark.parametrize(
    "packed",
    [
        CONTENT,
        gzip.compress(CONTENT),
        gzip.compress(CONTENT[:1_000]) + gzip.compress(CONTENT[1_000:]) + b"\0" * 100,
        zstandard.ZstdCompressor().compress(CONTENT),
        zstandard.ZstdCompressor().compress(CONTENT[:5]) + zstandard.ZstdCompressor().compress(CONTENT[5:]),
    ],
    ids=["plain", "gzip", "gzip members", "zstd", "zstd frames"],
)
def test_every_compression_gives_the_content(packed: bytes, tmp_path: Path) -> None:
    assert _content(_open(tmp_path, packed)) == CONTENT
    assert _content(_open(tmp_path, packed, digest=None)) == CONTENT


@pytest.mark.parametrize(
    "packed", [CONTENT, gzip.compress(CONTENT), zstandard.ZstdCompressor().compress(CONTENT)], ids=["plain", "gzip", "zstd"]
)
def test_both_digests_are_checked(packed: bytes, tmp_path: Path) -> None:
    with pytest.raises(DigestMismatch):
        _open(tmp_path, packed, digest="0" * 64)
    with pytest.raises(DigestMismatch):
        _open(tmp_path, packed, diff_id="0" * 64)
    with pytest.raises(TooLarge):
        _open(tmp_path, packed, left=len(CONTENT) - 1)


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(CONTENT)[:-9],
        gzip.compress(CONTENT)[:50_000],
        gzip.compress(CONTENT)[:1_000] + b"xxxx" + gzip.compress(CONTENT)[1_004:],
        gzip.compress(CONTENT) + b"junk",
        zstandard.ZstdCompressor().compress(CONTENT)[:-10],
        zstandard.ZstdCompressor().compress(CONTENT) + b"junk that is no frame",
        b"\x1f\x8b",
        b"",
    ],
)
def test_damage_is_found(packed: bytes, tmp_path: Path) -> None:
    with pytest.raises(ImageCorrupt):
        _open(tmp_path, packed)


def _zeros(size: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(b"\0" * (1 << 20)) for _ in range(size >> 20)) + packer.flush()


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_bombs_stop_early(kind: str, tmp_path: Path) -> None:
    bomb = _zeros(150 << 20) if kind == "gzip" else zstandard.ZstdCompressor().compress(b"\0" * (150 << 20))
    assert len(bomb) < 500_000
    with pytest.raises(TooLarge, match="grows more than 200 times"):
        _open(tmp_path, bomb)
    assert (tmp_path / "out").stat().st_size < 110 << 20
    with pytest.raises(TooLarge, match="are left"):
        _open(tmp_path, bomb, left=1 << 20)
    assert (tmp_path / "out").stat().st_size <= 1 << 20


def test_windows_that_need_too_much_memory_are_refused(tmp_path: Path) -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27, format=zstandard.FORMAT_ZSTD1)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    packed = packer.compress(CONTENT) + packer.flush()  # without a known size the frame keeps its window
    with pytest.raises(ImageCorrupt, match="memory"):
        _open(tmp_path, packed)
