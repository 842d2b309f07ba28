"""A small deterministic OCI image builder: the same inputs give the same bytes, so the same digests.

An `Image` is a value: descriptors of its layers, its config and its manifest. Its bytes lie in a `Blobs` store; from
there it is written as an OCI layout, as an `oci-archive` file or (in `oci_registry`) as a registry's tree.
"""

import hashlib
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"

EPOCH = "1970-01-01T00:00:00Z"
"""Created time of every image: a clock would change the digests."""


@dataclass(frozen=True)
class Descriptor:
    """What one blob is: media type, digest (`sha256:…`) and size in bytes."""

    media_type: str
    digest: str
    size: int

    def as_dict(self) -> dict[str, Any]:
        """The descriptor in OCI's JSON."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


@dataclass(frozen=True)
class Layer:
    """A packed layer: its blob and the digest of the unpacked tar."""

    blob: Descriptor
    diff_id: str


@dataclass(frozen=True)
class Settings:
    """The `config` part of an image: what it runs and says about itself."""

    entrypoint: Sequence[str] = ()
    cmd: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    workdir: str = ""
    user: str = ""


@dataclass(frozen=True)
class Image:
    """One image for linux/amd64 in a blob store."""

    manifest: Descriptor
    blobs: tuple[Descriptor, ...]
    """Config and layers."""

    @property
    def digest(self) -> str:
        """Digest of the manifest: what a pull by digest names."""
        return self.manifest.digest


class Blobs:
    """Blobs in files named by their sha256, as in an OCI layout's `blobs/sha256`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)

    def path(self, digest: str) -> Path:
        """File that holds (or will hold) this blob."""
        return self.root / digest.removeprefix("sha256:")

    def add(self, content: bytes, media_type: str) -> Descriptor:
        """Stores bytes."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        handle, name = tempfile.mkstemp(dir=self.root, prefix=".new-")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        return self.adopt(Path(name), digest, media_type)

    def adopt(self, file: Path, digest: str, media_type: str) -> Descriptor:
        """Moves a file of this file system, whose digest the caller computed, into the store."""
        size = file.stat().st_size
        file.chmod(0o644)
        file.replace(self.path(digest))
        return Descriptor(media_type, digest, size)

    def read_json(self, digest: str) -> Any:
        """A JSON blob, parsed."""
        return json.loads(self.path(digest).read_bytes())


def image(blobs: Blobs, layers: Sequence[Layer], settings: Settings) -> Image:
    """Writes config and manifest over packed layers."""
    wanted = {
        "Entrypoint": list(settings.entrypoint),
        "Cmd": list(settings.cmd),
        "Env": [f"{key}={value}" for key, value in sorted(settings.env.items())],
        "Labels": dict(sorted(settings.labels.items())),
        "WorkingDir": settings.workdir,
        "User": settings.user,
    }
    config = {
        "created": EPOCH,
        "architecture": "amd64",
        "os": "linux",
        "config": {key: value for key, value in wanted.items() if value},
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        "history": [{"created": EPOCH, "created_by": "sealab"} for _ in layers],
    }
    config_blob = blobs.add(_json(config), CONFIG)
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config_blob.as_dict(),
        "layers": [layer.blob.as_dict() for layer in layers],
    }
    return Image(blobs.add(_json(manifest), MANIFEST), (config_blob, *(layer.blob for layer in layers)))


def write_layout(blobs: Blobs, images: Mapping[str, Image], target: Path) -> None:
    """Writes an OCI layout that holds `images` by reference name; blobs are hard links where that works."""
    folder = target / "blobs" / "sha256"
    folder.mkdir(parents=True, exist_ok=True)
    manifests = []
    for name, item in images.items():
        for blob in (item.manifest, *item.blobs):
            link_or_copy(blobs.path(blob.digest), folder / blob.digest.removeprefix("sha256:"))
        manifests.append(
            {
                **item.manifest.as_dict(),
                "annotations": {"org.opencontainers.image.ref.name": name},
                "platform": {"architecture": "amd64", "os": "linux"},
            }
        )
    (target / "oci-layout").write_bytes(_json({"imageLayoutVersion": "1.0.0"}))
    (target / "index.json").write_bytes(_json({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}))


def write_archive(layout: Path, target: Path) -> None:
    """Packs an OCI layout into one `oci-archive` tar file, written beside `target` and moved into place."""
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".archive-", delete=False) as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for path in sorted(layout.rglob("*")):
                info = tarfile.TarInfo(str(path.relative_to(layout)))
                info.mode = 0o755 if path.is_dir() else 0o644
                if path.is_dir():
                    info.type = tarfile.DIRTYPE
                    tar.addfile(info)
                else:
                    info.size = path.stat().st_size
                    with path.open("rb") as content:
                        tar.addfile(info, content)
        scratch = Path(file.name)
    scratch.chmod(0o644)
    scratch.replace(target)


def link_or_copy(source: Path, target: Path) -> None:
    """Gives `target` the content of `source` without using disk twice where the file system allows it."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
