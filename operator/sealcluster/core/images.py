"""What the engine knows of a cluster image once it is resolved: metadata and digests, never its bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of content addressed by the sha256 (hex, no prefix) of exactly the bytes that travel."""

    digest: str
    size: int
    name: str = ""
    """What it holds, for people: ``bin``, ``cri``, …"""


@dataclass(frozen=True, slots=True)
class RegistryTree:
    """A docker-distribution `registry/` tree: blobs by digest, and link files as (path below the tree, digest)."""

    blobs: tuple[Part, ...] = ()
    links: tuple[tuple[str, str], ...] = ()

    @property
    def digest_source(self) -> str:
        """Text whose digest identifies the tree."""
        return "\n".join([*sorted(b.digest for b in self.blobs), *(f"{p} {d}" for p, d in sorted(self.links))])


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """One resolved cluster image for one architecture."""

    ref: str
    name: str
    digest: str
    """``sha256:<hex>`` of the manifest."""
    arch: str
    type: str
    """``rootfs``, ``patch`` or ``application``."""
    version: str = ""
    """The Kubernetes version (label `version`), e.g. ``v1.34.4``; rootfs only."""
    labels: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    commands: tuple[str, ...] = ()
    """ENTRYPOINT then CMD elements, shell wrappers dropped; not yet expanded."""
    entrypoint: int = 0
    """How many of `commands` are the ENTRYPOINT's; the rest may be replaced by `args` of the spec."""
    scripts: Mapping[str, str] = field(default_factory=dict)
    """Label texts of ``check init clean init-cri clean-cri init-registry clean-registry``; only those that the image has."""
    parts: tuple[Part, ...] = ()
    templates: Mapping[str, str] = field(default_factory=dict)
    """Text of `*.tmpl` files below etc/, scripts/, manifests/ by path (with suffix)."""
    modes: Mapping[str, int] = field(default_factory=dict)
    """Modes of the templates' targets where they are not 0644."""
    small_files: Mapping[str, str] = field(default_factory=dict)
    """Text of regular UTF-8 files up to 64 KiB below etc/, manifests/, statics/ and charts/ and at the root:
    what Config objects may change."""
    opaque: tuple[str, ...] = ()
    """Paths of all other regular files outside registry/: too large or no text, so a Config object can only replace them whole."""
    configs: tuple[Mapping[str, object], ...] = ()
    """Config documents of the image's own ``config.yml``."""
    registry: RegistryTree = field(default_factory=RegistryTree)
