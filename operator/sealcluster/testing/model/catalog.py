"""Cluster images for the model: real packed parts, tiny, whose scripts are in the model's own shell."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from sealcluster.core.images import ImageInfo, Part, RegistryTree
from sealcluster.testing.model.contentops import KUBEADM_IMAGES

VERSION = "v1.34.4"
LVSCARE = "sealos.hub:5000/labring/lvscare:v4.3.7"

SCRIPTS = {
    "scripts/check.sh": "true\n",
    "scripts/init-registry.sh": "model install-registry\n",
    "scripts/clean-registry.sh": "model remove-registry\n",
    "scripts/init-cri.sh": "model install-containerd\n",
    "scripts/clean-cri.sh": "model remove-containerd\n",
    "scripts/init.sh": "model install-kubelet ..\n",
    "scripts/clean.sh": "model remove-kubelet\n",
}
LABELS = {
    "check": "check.sh $registryData",
    "init": "init-cri.sh $registryDomain $registryPort && bash init.sh",
    "clean": "clean.sh && bash clean-cri.sh",
    "init-registry": "init-registry.sh $registryData $registryConfig",
    "clean-registry": "clean-registry.sh $registryData $registryConfig",
}


@lru_cache(maxsize=256)
def pack(files: tuple[tuple[str, bytes], ...]) -> bytes:
    """A part: tar, gzip, the same bytes every time."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in files:
            info = tarfile.TarInfo(path)
            info.size, info.mode = len(content), 0o755
            archive.addfile(info, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=0)


@dataclass
class Built:
    """An image and the bytes of all it points to."""

    info: ImageInfo
    content: dict[str, bytes] = field(default_factory=dict)


def _part(name: str, files: Mapping[str, bytes], content: dict[str, bytes]) -> Part:
    data = pack(tuple(sorted(files.items())))
    digest = hashlib.sha256(data).hexdigest()
    content[digest] = data
    return Part(digest, len(data), name)


def _tree(images: tuple[str, ...], content: dict[str, bytes]) -> RegistryTree:
    blobs, links = [], []
    for image in images:
        data = f"container image {image}".encode()
        digest = hashlib.sha256(data).hexdigest()
        content[digest] = data
        blobs.append(Part(digest, len(data)))
        name, _, tag = image.rpartition(":")
        links.append((f"docker/registry/v2/repositories/{name}/_manifests/tags/{tag}/current/link", f"sha256:{digest}"))
    return RegistryTree(tuple(blobs), tuple(sorted(links)))


def rootfs(ref: str, arch: str = "amd64", version: str = VERSION, *, lvscare: bool = True) -> Built:
    """A Kubernetes rootfs image with everything that the pipeline uses."""
    content: dict[str, bytes] = {}
    parts = (
        _part("bin", {f"bin/{b}": f"{b} {version} {arch}".encode() for b in ("kubeadm", "kubelet", "kubectl")}, content),
        _part("cri", {"cri/containerd.tar": b"containerd", "cri/registry": b"registry"}, content),
        _part(
            "etc",
            {"etc/registry.yml": b'domain: sealos.hub\nport: "5000"\nusername: admin\npassword: passw0rd\ndata: /var/lib/registry\n'},
            content,
        ),
        _part("scripts", {path: text.encode() for path, text in SCRIPTS.items()}, content),
    )
    images = tuple(f"{name}:{version}" for name in KUBEADM_IMAGES)
    images += ("library/haproxy:3.0", "labring/lvscare:v4.3.7")
    labels = {"sealos.io.type": "rootfs", "version": version, "vip": "$defaultVIP"} | ({"image": LVSCARE} if lvscare else {})
    info = ImageInfo(
        ref=ref,
        name="kubernetes",
        digest="sha256:" + hashlib.sha256("".join(p.digest for p in parts).encode()).hexdigest(),
        arch=arch,
        type="rootfs",
        version=version,
        labels=labels,
        env={
            "registryData": "/var/lib/registry",
            "registryConfig": "/etc/registry",
            "SEALOS_SYS_CRI_ENDPOINT": "/run/containerd/containerd.sock",
        },
        scripts=LABELS,
        parts=parts,
        templates={"etc/model.conf.tmpl": "registry={{ .registryDomain }}:{{ .registryPort }}\npassword={{ .registryPassword }}\n"},
        registry=_tree(images, content),
    )
    return Built(info, content)


def application(
    ref: str, name: str, arch: str = "amd64", *, script: str = "", images: tuple[str, ...] = (), labels: Mapping[str, str] | None = None
) -> Built:
    """An application image: one script that applies it; `cni` makes the cluster's network."""
    content: dict[str, bytes] = {}
    parts = (_part("root", {"install.sh": (script or f"model apply {name}\n").encode()}, content),)
    info = ImageInfo(
        ref=ref,
        name=name,
        digest="sha256:" + hashlib.sha256((name + parts[0].digest).encode()).hexdigest(),
        arch=arch,
        type="application",
        labels=dict(labels or {}),
        commands=("bash install.sh",),
        parts=parts,
        registry=_tree(images or (f"{name}/{name}:v1",), content),
    )
    return Built(info, content)
