"""Unpacks a built cluster image as an installer would, for tests that work without the product."""

import os
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

from sealab.clusterimage import ClusterImage
from sealab.errors import LabError
from sealab.gobuild import binary
from sealab.oci import Blobs

_RENDERED = ("etc", "scripts", "manifests")
"""Folders whose `*.tmpl` files installers render."""


def unpack(image: ClusterImage, target: Path) -> None:
    """Unpacks all layers of the lab's own image into `target` (a fresh folder)."""
    target.mkdir(parents=True)
    blobs = Blobs(image.layout / "blobs" / "sha256")
    for layer in blobs.read_json(image.digest)["layers"]:
        with tarfile.open(blobs.path(layer["digest"]), mode="r:*") as tar:
            tar.extractall(target, filter="tar")


def config(image: ClusterImage) -> dict[str, dict[str, str]]:
    """The image's `labels` and `env`, and its command as `cmd` -> {"0": …}."""
    blobs = Blobs(image.layout / "blobs" / "sha256")
    found = blobs.read_json(blobs.read_json(image.digest)["config"]["digest"])["config"]
    return {
        "labels": found.get("Labels", {}),
        "env": dict(item.split("=", 1) for item in found.get("Env", [])),
        "cmd": {str(index): text for index, text in enumerate(found.get("Cmd", []))},
    }


def render(root: Path, env: Mapping[str, str]) -> None:
    """Renders an unpacked image's templates with Go's own text/template and sprig; the templates stay."""
    folders = [str(root / name) for name in _RENDERED]
    clean = {key: value for key, value in env.items() if key != "PATH"} | {"PATH": os.defpath}
    done = subprocess.run([binary("render"), *folders], check=False, capture_output=True, text=True, env=clean)
    if done.returncode != 0:
        raise LabError(f"rendering {root}: {done.stderr.strip()}")
