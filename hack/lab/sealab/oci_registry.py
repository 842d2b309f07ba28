"""Writes images as the file tree that a docker-distribution registry serves from its file-system driver."""

from collections.abc import Iterable
from pathlib import Path

from sealab.oci import Blobs, Image, link_or_copy

_ROOT = Path("docker/registry/v2")


def write_registry(blobs: Blobs, images: Iterable[tuple[str, str, Image]], target: Path) -> None:
    """Adds `(repository, tag, image)` to the tree at `target`; what several images share lies there once."""
    root = target / _ROOT
    for repository, tag, image in images:
        place = root / "repositories" / repository
        manifest = image.manifest.digest
        tags = place / "_manifests" / "tags" / tag
        _link(tags / "current", manifest)
        _link(tags / "index" / _algorithm_path(manifest), manifest)
        _link(place / "_manifests" / "revisions" / _algorithm_path(manifest), manifest)
        (place / "_uploads").mkdir(parents=True, exist_ok=True)
        for blob in (image.manifest, *image.blobs):
            if blob is not image.manifest:
                _link(place / "_layers" / _algorithm_path(blob.digest), blob.digest)
            link_or_copy(blobs.path(blob.digest), root / "blobs" / _blob_path(blob.digest) / "data")


def _link(folder: Path, digest: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "link").write_text(digest)


def _algorithm_path(digest: str) -> str:
    return digest.replace(":", "/", 1)


def _blob_path(digest: str) -> str:
    algorithm, value = digest.split(":", 1)
    return f"{algorithm}/{value[:2]}/{value}"
