"""A rootfs image of a few kilobytes that asks for nothing and installs nothing: for tests that end before kubeadm begins."""

import json
import random
import tempfile
from pathlib import Path

from sealab.oci import CONFIG, MANIFEST, Blobs, Descriptor, Image, Settings, image
from sealab.oci_layer import Entry, layer
from sealab.oci_registry import write_registry
from sealab.registry import Registry

_SCRIPTS = ("check", "init", "init-cri", "init-registry", "clean", "clean-cri", "clean-registry")


def add_tiny(registry: Registry, name: str, arch: str = "amd64", ballast: int = 0) -> str:
    """Put it into a running registry under `name` (`tiny:v1`); its scripts succeed and do nothing. Returns the reference.

    `ballast`: bytes that no compression makes fewer.
    """
    labels = {"sealos.io.type": "rootfs", "sealos.io.version": "v1beta1", "version": "v1.34.4"}
    settings = Settings(labels=labels | {script: f"{script}.sh" for script in _SCRIPTS})
    with tempfile.TemporaryDirectory() as folder:
        blobs = Blobs(Path(folder))
        entries = [Entry(f"scripts/{script}.sh", content=b"exit 0\n", mode=0o755) for script in _SCRIPTS]
        entries += [Entry("etc/kind", content=b"tiny\n"), Entry("registry", mode=0o755)]
        entries.append(Entry("opt/ballast", content=random.Random(name).randbytes(ballast)))
        packed = _for(blobs, image(blobs, [layer(blobs, entries, "none")], settings), arch)
        repository, _, tag = name.partition(":")
        write_registry(blobs, [(repository, tag, packed)], registry.root)
    return registry.ref(name)


def _for(blobs: Blobs, packed: Image, arch: str) -> Image:
    """The same image, said to be for another architecture."""
    manifest = blobs.read_json(packed.digest)
    config = blobs.read_json(manifest["config"]["digest"]) | {"architecture": arch}
    described: Descriptor = blobs.add(json.dumps(config).encode(), CONFIG)
    manifest["config"] = described.as_dict()
    return Image(blobs.add(json.dumps(manifest).encode(), MANIFEST), (described, *packed.blobs[1:]))
