"""Puts the three layers together and writes the image: an OCI layout and an oci-archive file."""

import gzip
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sealab.errors import LabError
from sealab.oci import LAYER, Blobs, Image, Layer, Settings, image, write_archive, write_layout
from sealab.oci_layer import Entry, layer, tree
from sealimage import base, wheels

NAME = "sealcluster-operator"


@dataclass(frozen=True)
class Built:
    """A finished image."""

    ref: str
    digest: str
    layout: Path
    archive: Path
    packed: int
    """Bytes that a registry sends."""
    unpacked: int
    """Bytes on a node's disk."""


def build(output: Path, wheel: Path | None = None) -> Built:
    """Build into a folder, of our wheel or of the work tree; what was there of an earlier build is replaced."""
    if platform.machine() != "x86_64" or os.geteuid() != 0:
        raise LabError("building the operator's image: it needs root on an x86_64 machine (the image's own Python compiles in a chroot)")
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output, prefix=".new-") as scratch:
        work = Path(scratch)
        root, blobs = work / "root", Blobs(work / "blobs")
        ours = wheel or wheels.build(work / "wheel")
        layers = list(_layers(root, blobs, ours))
        check_libraries(root)
        made = image(blobs, layers, _settings())
        ref = f"{NAME}:{version()}"
        layout, archive = output / NAME, output / f"{NAME}.tar"
        write_layout(blobs, {version(): made}, work / "layout")  # tools add the name that it gets in a registry
        write_archive(work / "layout", archive)
        shutil.rmtree(layout, ignore_errors=True)
        (work / "layout").rename(layout)
        return Built(ref, made.digest, layout, archive, _packed(made), sum(path.lstat().st_size for path in root.rglob("*")))


def version() -> str:
    """Our version: what the chart calls appVersion and the image's tag."""
    return str(tomllib.loads((wheels.ROOT / "pyproject.toml").read_text())["project"]["version"])


def check_libraries(root: Path) -> None:
    """Every library that anything in the image loads is in the image; LabError names what is not."""
    for path in sorted(root.rglob("*")):
        if path.is_symlink() or not path.is_file() or not (path.suffix == ".so" or ".so." in path.name or path.parent.name == "bin"):
            continue
        with path.open("rb") as file:
            if file.read(4) != b"\x7fELF":
                continue
        name = f"/{path.relative_to(root)}"
        loaded = subprocess.run(
            ["chroot", root, "/lib64/ld-linux-x86-64.so.2", "--list", name], capture_output=True, text=True, check=False
        )
        if loaded.returncode:
            raise LabError(f"building the operator's image: {loaded.stderr.strip()}; add the package of the library or leave {name} out")


def _layers(root: Path, blobs: Blobs, ours: Path) -> Iterator[Layer]:
    """Each step adds files to the root; what it added is one layer. A new release of ours changes only the last, small one."""
    root.mkdir()
    steps: list[Callable[[], None]] = [
        lambda: base.lay(root),
        lambda: wheels.unpack(wheels.pinned(), root),
        lambda: (wheels.unpack([ours], root), wheels.commands(ours, root))[0],
    ]
    folders = ("usr/lib/python3.11", wheels.SITE, wheels.SITE)
    before: set[str] = set()
    for step, folder in zip(steps, folders, strict=True):
        step()
        _compile(root, folder)
        entries = [_private(entry) for entry in tree(root, keep_modes=False)]
        added = [entry for entry in entries if entry.path not in before and not _is_folder(entry)]
        if not before:
            added += [entry for entry in entries if _is_folder(entry)]
        yield _gzipped(blobs, added)
        before |= {entry.path for entry in entries}


def _compile(root: Path, folder: str) -> None:
    """Bytecode by the image's own Python, for a read-only root can keep none. It is never checked against its source: both are in one layer.

    Files that have it already are passed over, so that a lower layer stays as it is. Python itself keeps none of what it imports to do
    this (-B): that would carry times. Nor may the order of sets differ from run to run, so the environment counts (no -I).
    """
    command = ["/usr/bin/python3.11", "-B", "-S", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", f"/{folder}"]
    done = subprocess.run(
        ["chroot", root, *command],
        env={"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LabError(f"compiling {folder}: {(done.stdout + done.stderr).strip()[-800:]}")


def _private(entry: Entry) -> Entry:
    """Where the operator may write if nothing is mounted there."""
    return Entry(entry.path, mode=0o1777) if entry.path == "tmp" else entry


def _is_folder(entry: Entry) -> bool:
    return entry.content is None and entry.source is None and entry.link is None


def _gzipped(blobs: Blobs, entries: list[Entry]) -> Layer:
    """gzip, which every registry and every container runtime takes."""
    plain = layer(blobs, entries, "none")
    packed = blobs.root / ".packed"
    with (
        blobs.path(plain.diff_id).open("rb") as source,
        packed.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=6, mtime=0) as target,
    ):
        shutil.copyfileobj(source, target, 1 << 20)
    blobs.path(plain.diff_id).unlink()
    with packed.open("rb") as file:
        digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    return Layer(blobs.adopt(packed, digest, f"{LAYER}+gzip"), plain.diff_id)


def _settings() -> Settings:
    return Settings(
        entrypoint=("/usr/bin/python3.11", "-m", "sealcluster.controller"),
        env={
            "PATH": "/usr/local/bin:/usr/bin",
            "HOME": "/var/lib/sealcluster",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "PYTHONUTF8": "1",
        },
        labels={
            "org.opencontainers.image.title": NAME,
            "org.opencontainers.image.description": "The SealCluster operator: bare Linux machines become Kubernetes clusters",
            "org.opencontainers.image.version": version(),
            "org.opencontainers.image.licenses": "Apache-2.0",
        },
        workdir="/",
        user=f"{base.USER}:{base.USER}",
    )


def _packed(made: Image) -> int:
    return made.manifest.size + sum(blob.size for blob in made.blobs)
