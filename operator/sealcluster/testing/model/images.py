"""`Images` of the model: a few references, with the failures that registries have."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path

from sealcluster.core.errors import TerminalError, TransientError
from sealcluster.core.images import ImageInfo
from sealcluster.core.ports import Progress, PullAuth
from sealcluster.testing.model.catalog import Built, application, rootfs
from sealcluster.testing.model.timing import Timing

ROOTFS = "registry.example/kubernetes:v1.34.4"
CNI = "registry.example/cni:v1"
HELLO = "registry.example/hello:v1"


class ModelImages:
    """A registry with content. `failing`: how many of the next pulls fail; `denied`: references that need credentials."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self.images: dict[tuple[str, str], Built] = {}
        self.failing = 0
        self.denied: set[str] = set()
        self.resolved: list[tuple[str, str]] = []
        """Every successful (reference, architecture)."""
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        for arch in ("amd64", "arm64"):
            self.add(rootfs(ROOTFS, arch))
            self.add(application(CNI, "cni", arch, labels={"sealcluster.io/network": "true"}))
            self.add(application(HELLO, "hello", arch))

    def add(self, built: Built) -> None:
        """Offer an image."""
        self.images[(built.info.ref, built.info.arch)] = built

    async def resolve(self, name: str, ref: str, arch: str, auth: PullAuth, progress: Progress | None = None) -> ImageInfo:
        """Pull."""
        await asyncio.sleep(self._timing.sample("image-pull", ref))
        if self.failing > 0:
            self.failing -= 1
            raise TransientError(f"pulling {ref}: 503 Service Unavailable", reason="ImagePullFailed", hint="the registry is asked again")
        if not any(known == ref for known, _ in self.images):
            raise TerminalError(f"pulling {ref}: no such image", reason="ImageNotFound", hint="correct the reference")
        if ref in self.denied and not auth.auths:
            raise TerminalError(f"pulling {ref}: unauthorized", reason="ImageNotFound", hint="name a pull secret")
        built = self.images.get((ref, arch))
        if built is None:
            raise TerminalError(
                f"pulling {ref}: there is no image for {arch}", reason="ArchMismatch", hint="use an image with that architecture"
            )
        self.resolved.append((ref, arch))
        return replace(built.info, name=name)

    async def open_part(self, digest: str) -> Path:
        """A file with these bytes."""
        if self._directory is None:
            self._directory = tempfile.TemporaryDirectory(prefix="sealcluster-model-")
        path = Path(self._directory.name) / digest
        if not path.exists():
            content = next((b.content[digest] for b in self.images.values() if digest in b.content), None)
            if content is None:
                raise TerminalError(f"reading part {digest[:12]}: it is in no image that was resolved", reason="ImageCorrupt")
            path.write_bytes(content)
        return path

    def close(self) -> None:
        """Remove the files."""
        if self._directory is not None:
            self._directory.cleanup()
            self._directory = None
