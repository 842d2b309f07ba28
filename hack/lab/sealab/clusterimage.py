"""Cluster images in the sealos format, built once from the lab's sources, binaries and Debian packages.

build("kubernetes", "v1.34.4") -> ClusterImage, with an OCI layout and an oci-archive file
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from sealab.clusterimage_recipes import RECIPES, Recipe
from sealab.containers_apt import require_tools
from sealab.errors import LabError
from sealab.gobuild_toolchain import locked
from sealab.oci import Blobs, image, write_archive, write_layout
from sealab.paths import CACHE, SOURCE


@dataclass(frozen=True)
class ClusterImage:
    """One built cluster image."""

    ref: str
    """`name:version`, without a registry."""
    digest: str
    """Digest of its manifest."""
    layout: Path
    """OCI layout with this one image, its reference name being `ref`."""
    archive: Path
    """The same as one `oci-archive` tar file."""


def build(name: str, version: str = "") -> ClusterImage:
    """Builds one cluster image, or finds it in the cache; the version may be left out where there is one only.

    Raises LabError when the lab has no such image or something that it is made of cannot be built.
    """
    recipe = _recipe(name, version)
    ref = f"{recipe.name}:{recipe.version}"
    folder = CACHE / "images" / f"{recipe.name}-{recipe.version}-{_key(recipe)}"
    with locked(folder.parent / f"{folder.name}.lock"):
        if not (folder / "image.json").exists():
            _build(recipe, ref, folder)
    digest = json.loads((folder / "image.json").read_text())["digest"]
    return ClusterImage(ref, digest, folder / "layout", folder / f"{recipe.name}_{recipe.version}.tar")


def known() -> list[str]:
    """References of all images that the lab can build."""
    return [f"{recipe.name}:{recipe.version}" for recipe in RECIPES]


def _recipe(name: str, version: str) -> Recipe:
    found = [recipe for recipe in RECIPES if recipe.name == name and version in ("", recipe.version)]
    if not found:
        raise LabError(f"building image {name}:{version}: the lab has {', '.join(known())}")
    return found[0]


def _key(recipe: Recipe) -> str:
    """A hash of everything that goes into the image, without building any of it."""
    digest = hashlib.sha256("\n".join([*recipe.inputs(), *_tool_versions()]).encode())
    code = Path(__file__).parent
    files = [path for pattern in ("oci*.py", "containers*.py", "clusterimage*.py") for path in sorted(code.glob(pattern))]
    for folder in recipe.sources:
        files += sorted(path for path in (SOURCE / "images" / folder).rglob("*") if path.is_file())
    for path in files:
        digest.update(f"\n{path.name} {path.stat().st_mode & 0o111} ".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _tool_versions() -> list[str]:
    """Compressor and compiler: another version of them may write other bytes."""
    require_tools()
    commands = (["zstd", "--version"], ["gcc", "-dumpfullversion"])
    return [subprocess.run(command, check=True, capture_output=True, text=True).stdout for command in commands]


def _build(recipe: Recipe, ref: str, folder: Path) -> None:
    started = time.monotonic()
    _say(f"building image {ref}")
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as scratch:
        work = Path(scratch)
        blobs = Blobs(work / "blobs")
        built = image(blobs, recipe.layers(blobs, work), recipe.settings())
        result = work / "result"
        write_layout(blobs, {ref: built}, result / "layout")
        write_archive(result / "layout", result / f"{recipe.name}_{recipe.version}.tar")
        (result / "image.json").write_text(json.dumps({"ref": ref, "digest": built.digest}))
        result.rename(folder)
    _forget_older(folder, f"{recipe.name}-{recipe.version}-")
    _say(f"built image {ref} in {time.monotonic() - started:.0f} s")


def _forget_older(newest: Path, prefix: str) -> None:
    """Of the builds of one image the two newest stay: a lab that runs may still serve the one before."""
    builds = [path for path in newest.parent.glob(f"{prefix}*") if (path / "image.json").exists()]
    for path in sorted(builds, key=lambda build: (build / "image.json").stat().st_mtime)[:-2]:
        shutil.rmtree(path)


def _say(text: str) -> None:
    print(f"sealab: {text}", file=sys.stderr, flush=True)
