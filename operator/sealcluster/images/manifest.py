"""Reads manifests, indexes and image configurations: JSON from outside, every field checked before it is used."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sealcluster.images.digest import hex_of
from sealcluster.images.errors import ArchMismatch, ImageCorrupt, TooLarge, UnsupportedImage
from sealcluster.images.limits import Limits

INDEX_TYPES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
MANIFEST_TYPES = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
_LAYER_TYPES = (
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.docker.image.rootfs.diff.tar.zstd",
)


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A reference to content: digest (hex) and exact size."""

    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """One image for one platform."""

    config: Descriptor
    layers: tuple[Descriptor, ...]


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """The parts of an image's configuration that matter here."""

    os: str
    arch: str
    diff_ids: tuple[str, ...]
    env: tuple[str, ...] = field(default=(), repr=False)
    labels: dict[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()


def load_json(data: bytes, what: str) -> dict[str, Any]:
    """Parse a JSON object."""
    try:
        document = json.loads(data)
        if b"\\u" in data:  # an escaped half of a character: no text, and nothing that could be sent to a host
            json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise ImageCorrupt(f"reading {what}: no valid JSON") from None
    if not isinstance(document, dict):
        raise ImageCorrupt(f"reading {what}: no JSON object")
    return document


def _descriptor(value: object, what: str) -> Descriptor:
    if not isinstance(value, dict) or not isinstance(value.get("digest"), str):
        raise ImageCorrupt(f"reading {what}: a descriptor without digest")
    size = value.get("size")
    if isinstance(size, bool) or not isinstance(size, int) or size < 0:
        raise ImageCorrupt(f"reading {what}: a descriptor without size")
    return Descriptor(hex_of(value["digest"]), size)


def _list(document: dict[str, Any], key: str, what: str) -> list[Any]:
    value = document.get(key) or []
    if not isinstance(value, list):
        raise ImageCorrupt(f"reading {what}: {key} is no list")
    return value


def _strings(document: dict[str, Any], key: str, what: str) -> tuple[str, ...]:
    values = _list(document, key, what)
    if not all(isinstance(value, str) for value in values):
        raise ImageCorrupt(f"reading {what}: {key} holds something that is no text")
    return tuple(values)


def is_index(document: dict[str, Any]) -> bool:
    """Say whether this is a list of manifests; some registries leave the media type out."""
    media_type = document.get("mediaType")
    return media_type in INDEX_TYPES or (media_type is None and isinstance(document.get("manifests"), list))


def choose(document: dict[str, Any], arch: str, what: str) -> Descriptor:
    """Return the manifest of the index for linux and this architecture; ArchMismatch lists what there is."""
    offered: list[str] = []
    for entry in _list(document, "manifests", what):
        platform = entry.get("platform") if isinstance(entry, dict) else None
        if not isinstance(platform, dict) or platform.get("os") == "unknown":
            continue  # attestations and signatures
        offered.append("/".join(str(platform.get(key))[:20] for key in ("os", "architecture", "variant") if platform.get(key)))
        if platform.get("os") == "linux" and platform.get("architecture") == arch and platform.get("variant") in (None, "", "v8"):
            return _descriptor(entry, what)
    raise ArchMismatch(
        f"choosing an image of {what}: none for linux/{arch}, there is {', '.join(offered[:20]) or 'nothing'}",
        hint=f"use an image that is built for {arch} as well, or hosts of another architecture",
    )


def parse_manifest(document: dict[str, Any], limits: Limits, what: str) -> Manifest:
    """Read a manifest."""
    media_type = document.get("mediaType")
    if document.get("schemaVersion") != 2 or media_type not in (*MANIFEST_TYPES, None):
        raise UnsupportedImage(
            f"reading {what}: manifest of type {str(media_type)[:80]!a}, schema {str(document.get('schemaVersion'))[:10]}"
        )
    layers = _list(document, "layers", what)
    for layer in layers:
        if isinstance(layer, dict) and layer.get("mediaType") not in _LAYER_TYPES:
            raise UnsupportedImage(f"reading {what}: a layer of type {str(layer.get('mediaType'))[:80]!a}; this is no container image")
    manifest = Manifest(_descriptor(document.get("config"), what), tuple(_descriptor(layer, what) for layer in layers))
    total = sum(layer.size for layer in manifest.layers)
    if len(layers) > limits.layers or total > limits.download or manifest.config.size > limits.manifest:
        raise TooLarge(f"reading {what}: {len(layers)} layers with {total} bytes, the limits are {limits.layers} and {limits.download}")
    return manifest


def parse_config(document: dict[str, Any], what: str) -> ImageConfig:
    """Read an image configuration."""
    rootfs, config = document.get("rootfs"), document.get("config") or {}
    if not isinstance(rootfs, dict) or not isinstance(config, dict):
        raise ImageCorrupt(f"reading {what}: the configuration lacks rootfs or config")
    labels = config.get("Labels") or {}
    if not isinstance(labels, dict) or not all(isinstance(value, str) for value in labels.values()):
        raise ImageCorrupt(f"reading {what}: labels are no map of texts")
    return ImageConfig(
        os=str(document.get("os") or ""),
        arch=str(document.get("architecture") or ""),
        diff_ids=tuple(hex_of(value) for value in _strings(rootfs, "diff_ids", what)),
        env=_strings(config, "Env", what),
        labels=labels,
        entrypoint=_strings(config, "Entrypoint", what),
        cmd=_strings(config, "Cmd", what),
    )


def check_platform(config: ImageConfig, arch: str, what: str) -> None:
    """Refuse an image for another platform; one that does not say is taken."""
    if config.os not in ("linux", "") or config.arch not in (arch, ""):
        raise ArchMismatch(
            f"choosing an image of {what}: it is made for {config.os[:20]}/{config.arch[:20]} only, the hosts are linux/{arch}",
            hint=f"use an image that is built for {arch}",
        )
