"""Reads `oci-archive` and `docker-archive` files: tars, plain or gzip, whose members are found by name and read in place."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealcluster.images.digest import hex_of
from sealcluster.images.errors import DigestMismatch, ImageCorrupt, ImageNotFound, InvalidReference, TooLarge
from sealcluster.images.layers import CHUNK, Span
from sealcluster.images.limits import Limits
from sealcluster.images.manifest import Descriptor, ImageConfig, check_platform, choose, is_index, load_json, parse_config, parse_manifest
from sealcluster.images.reference import ArchiveReference
from sealcluster.images.store import ContentStore
from sealcluster.images.tar_reader import TarReader

_NAME = "org.opencontainers.image.ref.name"
_CONTAINERD_NAME = "io.containerd.image.name"
_MAX_NESTING = 4


@dataclass(frozen=True, slots=True)
class ArchivedImage:
    """One image of an archive. `digest` (hex) is the manifest's, in a docker archive the configuration's."""

    digest: str
    config: ImageConfig
    layers: tuple[tuple[Span, str | None], ...]
    """Where each layer lies, with the digest (hex) of those bytes where the archive states one."""


def locate(reference: ArchiveReference, directory: Path | None) -> Path:
    """Return the file of a reference. With a directory, paths are relative to it and may not lead out of it, through links neither."""
    path = Path(reference.path)
    if directory is None:
        found = path
    else:
        base = directory.resolve()
        found = (base / path).resolve()
        if not found.is_relative_to(base):
            raise InvalidReference(
                f"opening {reference}: the path leads out of the directory for archives", hint="give a path below that directory"
            )
    if not found.is_file():
        raise ImageNotFound(f"opening {reference}: there is no such file", hint="check the path")
    return found


class Archive:
    """An opened archive."""

    def __init__(self, path: Path, what: str, limits: Limits) -> None:
        self._path = path
        self._what = what
        self._limits = limits
        self._spans: dict[str, Span] = {}
        self._links: dict[str, str] = {}
        with path.open("rb") as file:
            for entry in TarReader(file, 0, path.stat().st_size, what, max_headers=limits.entries):
                name = "/".join(part for part in entry.name.split("/") if part not in ("", "."))
                if entry.kind == "file":
                    self._spans[name] = Span(path, entry.offset, entry.size)
                elif entry.kind in ("symlink", "hardlink"):
                    self._links[name] = _join(name, entry.target) if entry.kind == "symlink" else entry.target

    def _span(self, name: str) -> Span:
        for _ in range(_MAX_NESTING):
            if name in self._spans:
                return self._spans[name]
            name = self._links.get(name, "")
        raise ImageCorrupt(f"reading {self._what}: a file that it names is missing")

    def _read(self, name: str) -> bytes:
        span = self._span(name)
        if span.size > self._limits.manifest:
            raise TooLarge(f"reading {self._what}: {name[:80]!a} has {span.size} bytes")
        with span.path.open("rb") as file:
            file.seek(span.offset)
            return file.read(span.size)

    def image(self, kind: str, arch: str, name: str) -> ArchivedImage:
        """Return the image for an architecture; `name` picks one of several."""
        return self._oci(arch, name) if kind == "oci-archive" else self._docker(arch, name)

    def _blob(self, descriptor: Descriptor) -> bytes:
        data = self._read(f"blobs/sha256/{descriptor.digest}")
        if hashlib.sha256(data).hexdigest() != descriptor.digest:
            raise DigestMismatch(f"reading {self._what}: blob sha256:{descriptor.digest} has other content")
        return data

    def _oci(self, arch: str, name: str) -> ArchivedImage:
        document = load_json(self._read("index.json"), self._what)
        listed = document.get("manifests")
        entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
        if name:
            entries = [entry for entry in entries if name in _names(entry)]
        if not entries:
            raise ImageNotFound(f"opening {self._what}: it holds no image{f' named {name}' if name else ''}")
        document = {"manifests": entries}
        if len(entries) > 1 or entries[0].get("platform"):
            chosen = choose({"manifests": [_with_platform(entry, arch) for entry in entries]}, arch, self._what)
        else:
            chosen = Descriptor(hex_of(str(entries[0].get("digest"))), 0)
        for _ in range(_MAX_NESTING):
            document = load_json(self._blob(chosen), self._what)
            if not is_index(document):
                return self._from_manifest(chosen.digest, document, arch)
            chosen = choose(document, arch, self._what)
        raise ImageCorrupt(f"reading {self._what}: indexes nested more than {_MAX_NESTING} deep")

    def _from_manifest(self, digest: str, document: dict[str, Any], arch: str) -> ArchivedImage:
        manifest = parse_manifest(document, self._limits, self._what)
        config = parse_config(load_json(self._blob(manifest.config), self._what), self._what)
        check_platform(config, arch, self._what)
        layers = tuple((self._layer(layer), layer.digest) for layer in manifest.layers)
        return ArchivedImage(digest, config, layers)

    def _layer(self, layer: Descriptor) -> Span:
        span = self._span(f"blobs/sha256/{layer.digest}")
        if span.size != layer.size:
            raise DigestMismatch(f"reading {self._what}: blob sha256:{layer.digest} has {span.size} bytes, the manifest says {layer.size}")
        return span

    def _docker(self, arch: str, name: str) -> ArchivedImage:
        try:
            images = json.loads(self._read("manifest.json"))
        except (ValueError, RecursionError):
            raise ImageCorrupt(f"reading {self._what}: manifest.json is no valid JSON") from None
        images = [image for image in images if isinstance(image, dict)] if isinstance(images, list) else []
        if name:
            images = [image for image in images if isinstance(tags := image.get("RepoTags"), list) and name in tags]
        if len(images) != 1:
            raise ImageNotFound(
                f"opening {self._what}: it holds {len(images)} images{f' named {name}' if name else ''}",
                hint="add :name:tag to the reference",
            )
        data = self._read(str(images[0].get("Config")))
        config = parse_config(load_json(data, self._what), self._what)
        check_platform(config, arch, self._what)
        names = images[0].get("Layers")
        if not isinstance(names, list) or len(names) > self._limits.layers:
            raise ImageCorrupt(f"reading {self._what}: manifest.json has no usable list of layers")
        return ArchivedImage(hashlib.sha256(data).hexdigest(), config, tuple((self._span(str(layer)), None) for layer in names))


def _join(name: str, target: str) -> str:
    parts = name.split("/")[:-1]
    for part in target.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _names(entry: dict[str, Any]) -> set[str]:
    annotations = entry.get("annotations")
    return {str(annotations[key]) for key in (_NAME, _CONTAINERD_NAME) if key in annotations} if isinstance(annotations, dict) else set()


def _with_platform(entry: dict[str, Any], arch: str) -> dict[str, Any]:
    """An entry that does not say its platform is tried: its configuration tells in the end."""
    return entry if entry.get("platform") else {**entry, "platform": {"os": "linux", "architecture": arch}}


@contextmanager
def plain(path: Path, store: ContentStore, limits: Limits, what: str) -> Iterator[Path]:
    """Yield the archive uncompressed: itself, or a scratch copy of one that is gzip."""
    with path.open("rb") as file:
        if file.read(2) != b"\x1f\x8b":
            yield path
            return
        file.seek(0)
        with store.scratch() as scratch:
            inflater, total = zlib.decompressobj(31), 0
            with scratch.open("wb") as out:
                pending = file.read(256 << 10)
                while pending and not inflater.eof:
                    try:
                        data = inflater.decompress(pending, CHUNK)
                    except zlib.error:
                        raise ImageCorrupt(f"reading {what}: the gzip stream is damaged") from None
                    total += len(data)
                    if total > limits.download:
                        raise TooLarge(f"reading {what}: more than {limits.download} bytes")
                    out.write(data)
                    pending = inflater.unconsumed_tail or file.read(256 << 10)
            yield scratch
