"""Makes layers, images and archives, good and bad, out of a few lines."""

from __future__ import annotations

import functools
import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zstandard

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"

ROOTFS_LABELS = {
    "sealos.io.type": "rootfs",
    "sealos.io.version": "v1beta1",
    "version": "v1.34.4",
    "check": "check.sh $registryData",
    "init": "init-cri.sh $registryDomain $registryPort && bash init.sh",
    "clean": "clean.sh && bash clean-cri.sh $criData",
    "init-registry": "init-registry.sh $registryData $registryConfig",
    "clean-registry": "clean-registry.sh $registryData $registryConfig",
    "vip": "$defaultVIP",
    "image": "ghcr.io/labring/lvscare:v5.0.1",
}
ROOTFS_ENV = ["PATH=/usr/bin", "criData=/var/lib/containerd", "registryData=/var/lib/registry", "defaultVIP=10.103.97.2"]


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def entry(
    name: str, data: bytes = b"", *, kind: bytes = tarfile.REGTYPE, target: str = "", mode: int = 0o644
) -> tuple[tarfile.TarInfo, bytes]:
    """One tar entry; a size that lies can be set on the TarInfo."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.size = kind, target, mode, len(data)
    return info, data


def directory(name: str, mode: int = 0o755) -> tuple[tarfile.TarInfo, bytes]:
    return entry(name, kind=tarfile.DIRTYPE, mode=mode)


def symlink(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return entry(name, kind=tarfile.SYMTYPE, target=target)


def hardlink(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return entry(name, kind=tarfile.LNKTYPE, target=target)


def tar(*entries: tuple[tarfile.TarInfo, bytes], format: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    for info, data in entries:
        out.write(info.tobuf(format, "utf-8", "surrogateescape"))
        out.write(data + b"\0" * (-len(data) % 512))
    out.write(b"\0" * 1024)
    return out.getvalue()


def files(content: Mapping[str, bytes | str]) -> bytes:
    """A layer with these files."""
    return tar(*(entry(name, data.encode() if isinstance(data, str) else data) for name, data in content.items()))


def registry_files(*blobs: bytes, repository: str = "pause", tag: str = "3.10") -> dict[str, bytes]:
    """A docker-distribution tree below registry/ with these blobs; the last one is the tagged manifest."""
    base = "registry/docker/registry/v2"
    out = {f"{base}/blobs/sha256/{sha(blob)[:2]}/{sha(blob)}/data": blob for blob in blobs}
    link = f"sha256:{sha(blobs[-1])}".encode()
    home = f"{base}/repositories/{repository}"
    out[f"{home}/_manifests/tags/{tag}/current/link"] = link
    out[f"{home}/_manifests/tags/{tag}/index/sha256/{sha(blobs[-1])}/link"] = link
    out[f"{home}/_manifests/revisions/sha256/{sha(blobs[-1])}/link"] = link
    for blob in blobs[:-1]:
        out[f"{home}/_layers/sha256/{sha(blob)}/link"] = f"sha256:{sha(blob)}".encode()
    return out


ROOTFS_FILES: dict[str, bytes | str] = {
    "bin/kubeadm": b"\x7fELF kubeadm",
    "bin/kubelet": b"\x7fELF kubelet",
    "cri/image-cri-shim": b"\x7fELF shim",
    "etc/config.toml.tmpl": 'root = "{{ .criData }}"\n',
    "etc/crictl.yaml": "timeout: 10\n",
    "scripts/init.sh": "#!/bin/bash\n",
    "scripts/init-containerd.sh": "#!/bin/bash\n",
    "statics/audit-policy.yml": "kind: Policy\n",
    "Kubefile": "FROM scratch\n",
    **registry_files(b"layer one", b"config", b'{"schemaVersion":2}'),
}


@dataclass
class Image:
    """An image as a registry or archive holds it."""

    layers: Sequence[bytes]
    """Uncompressed tars."""
    labels: Mapping[str, str] = field(default_factory=lambda: dict(ROOTFS_LABELS))
    env: Sequence[str] = tuple(ROOTFS_ENV)
    cmd: Sequence[str] = ()
    entrypoint: Sequence[str] = ()
    arch: str = "amd64"
    compression: str = "gzip"
    diff_ids: Sequence[str] | None = None

    @functools.cached_property
    def _packed(self) -> list[bytes]:
        if self.compression == "gzip":
            return [gzip.compress(layer, 1, mtime=0) for layer in self.layers]
        if self.compression == "zstd":
            return [zstandard.ZstdCompressor().compress(layer) for layer in self.layers]
        return list(self.layers)

    def packed(self) -> list[bytes]:
        return self._packed

    def config(self) -> bytes:
        diff_ids = self.diff_ids if self.diff_ids is not None else [f"sha256:{sha(layer)}" for layer in self.layers]
        inner = {"Env": list(self.env), "Labels": dict(self.labels), "Cmd": list(self.cmd), "Entrypoint": list(self.entrypoint)}
        document = {"os": "linux", "architecture": self.arch, "config": inner, "rootfs": {"type": "layers", "diff_ids": list(diff_ids)}}
        return json.dumps(document).encode()

    def manifest(self) -> bytes:
        suffix = {"gzip": "+gzip", "zstd": "+zstd", "": ""}[self.compression]
        layers = [{"mediaType": LAYER + suffix, "digest": f"sha256:{sha(blob)}", "size": len(blob)} for blob in self.packed()]
        config = {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": f"sha256:{sha(self.config())}",
            "size": len(self.config()),
        }
        return json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}).encode()

    def blobs(self) -> dict[str, bytes]:
        return {sha(blob): blob for blob in (*self.packed(), self.config())}


def rootfs(**changes: Any) -> Image:
    """A small rootfs image with one layer."""
    return Image(**{"layers": [files(ROOTFS_FILES)], **changes})


def index(images: Sequence[Image]) -> bytes:
    entries: list[dict[str, Any]] = [
        {
            "mediaType": MANIFEST,
            "digest": f"sha256:{sha(image.manifest())}",
            "size": len(image.manifest()),
            "platform": {"os": "linux", "architecture": image.arch},
        }
        for image in images
    ]
    attestation = {
        "mediaType": MANIFEST,
        "digest": "sha256:" + "0" * 64,
        "size": 2,
        "platform": {"os": "unknown", "architecture": "unknown"},
    }
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [attestation, *entries]}).encode()


def oci_archive(path: Path, *images: Image, names: Sequence[str] = ()) -> Path:
    content = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}
    manifests = []
    for number, image in enumerate(images):
        blobs = {**image.blobs(), sha(image.manifest()): image.manifest()}
        content |= {f"blobs/sha256/{digest}": blob for digest, blob in blobs.items()}
        annotations = {"org.opencontainers.image.ref.name": names[number]} if names else {}
        manifests.append(
            {"mediaType": MANIFEST, "digest": f"sha256:{sha(image.manifest())}", "size": len(image.manifest()), "annotations": annotations}
        )
    content["index.json"] = json.dumps({"schemaVersion": 2, "manifests": manifests}).encode()
    path.write_bytes(files(content))
    return path


def docker_archive(path: Path, image: Image, tag: str = "kubernetes:v1") -> Path:
    config = image.config()
    content: dict[str, bytes | str] = {f"{sha(config)}.json": config}
    names = []
    for number, layer in enumerate(image.packed()):
        names.append(f"{number}/layer.tar")
        content[names[-1]] = layer
    content["manifest.json"] = json.dumps([{"Config": f"{sha(config)}.json", "RepoTags": [tag], "Layers": names}])
    path.write_bytes(files(content))
    return path
