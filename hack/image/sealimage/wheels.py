"""The two upper layers: pinned wheels of what we depend on, checked against their digests, and our own wheel."""

import hashlib
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

from sealab.errors import LabError
from sealab.gobuild_toolchain import locked
from sealab.paths import CACHE

ROOT = Path(__file__).resolve().parents[3]
LOCK = Path(__file__).resolve().parent.parent / "requirements.lock"
SITE = "usr/local/lib/python3.11/dist-packages"
"""Where Debian's Python looks for what did not come from Debian."""

_PLATFORMS = [f"manylinux_2_{minor}_x86_64" for minor in (5, 12, 17, 24, 26, 27, 28, 31, 34, 35, 36)]
_HEADER = (
    "# What the operator's image holds besides Debian's packages. Written by `make image-lock` from requirements-dev.txt; do not edit.\n"
)

_LEFT_OUT = (
    "kubernetes/client/api/*",  # typed clients and models: 70 MB that we do not use, loaded only by name
    "kubernetes/client/models/*",
    "kubernetes/aio/client/api/*",
    "kubernetes/aio/client/models/*",
    "kubernetes/aio/setup.py",
    "zstandard/_cffi.*",  # the other of two ways to the same library
    "*/tests/*",
    "*.pyi",
    "*.pyx",
    "*.pxd",
    "*.c",
    "*.h",
    "*.dist-info/RECORD",  # would tell of files that are left out
)
_KEPT = (
    "kubernetes/*client/api/__init__.py",
    "kubernetes/*client/models/__init__.py",
    "kubernetes/client/models/v1_managed_fields_entry.py",  # what kopf tells the library's objects apart by
    "kubernetes/client/models/v1_owner_reference.py",
    "kubernetes/client/models/v1_object_meta.py",
)


def lock() -> str:
    """The text of the lock file: every wheel that our own needs, at the version of requirements-dev.txt, with its digest."""
    with tempfile.TemporaryDirectory() as scratch:
        ours = build(Path(scratch) / "ours")
        folder = Path(scratch) / "all"
        _download(["-c", str(ROOT / "requirements-dev.txt"), str(ours)], folder)
        lines = []
        for wheel in sorted(folder.glob("*.whl"), key=lambda path: path.name.lower()):
            name, version = wheel.name.split("-")[:2]
            if name != "sealcluster":
                lines.append(f"{name.lower()}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
    return _HEADER + "".join(lines)


def build(folder: Path, source: Path = ROOT) -> Path:
    """Build our own wheel from a work tree."""
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LabError(f"building our wheel: {done.stderr.strip()[-500:]}")
    return next(folder.glob("*.whl"))


def pinned() -> list[Path]:
    """The wheels of the lock file, downloaded once."""
    text = LOCK.read_text()
    folder = CACHE / "wheels" / hashlib.sha256(text.encode()).hexdigest()[:16]
    with locked(folder.parent / f"{folder.name}.lock"):
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as scratch:
                fresh = Path(scratch) / "wheels"
                _download(["--no-deps", "--require-hashes", "-r", str(LOCK)], fresh)
                fresh.rename(folder)
    return sorted(folder.glob("*.whl"))


def unpack(wheels: Sequence[Path], root: Path) -> None:
    """Lay the wheels' files into a root; what nothing needs is left out."""
    site = root / SITE
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for name in sorted(archive.namelist()):
                if name.endswith("/") or ".data/" in name or _unwanted(name):
                    continue
                target = site / name
                if not target.resolve().is_relative_to(site.resolve()):
                    raise LabError(f"unpacking {wheel.name}: {name} leaves its folder")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(name))


def commands(wheel: Path, root: Path) -> None:
    """The wheel's commands, so that the image is good for the command line, too."""
    with zipfile.ZipFile(wheel) as archive:
        points = next(name for name in archive.namelist() if name.endswith(".dist-info/entry_points.txt"))
        text = archive.read(points).decode()
    folder = root / "usr/local/bin"
    folder.mkdir(parents=True, exist_ok=True)
    for name, module, function in re.findall(r"^(\S+) = ([\w.]+):(\w+)$", text, re.MULTILINE):
        (folder / name).write_text(f"#!/usr/bin/python3.11\nimport sys\n\nfrom {module} import {function}\n\nsys.exit({function}())\n")
        (folder / name).chmod(0o755)


def _unwanted(name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in _LEFT_OUT) and not any(fnmatch(name, pattern) for pattern in _KEPT)


def _download(words: Sequence[str], folder: Path) -> None:
    """pip chooses wheels for the image's Python, whichever one runs this."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--only-binary=:all:", "-d", str(folder)]
    command += [
        "--implementation=cp",
        "--python-version=3.11",
        "--abi=cp311",
        "--abi=abi3",
        "--abi=none",
        "--platform=manylinux2014_x86_64",
    ]
    command += [f"--platform={name}" for name in [*_PLATFORMS, "any"]]
    done = subprocess.run([*command, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"downloading wheels: {done.stderr.strip()[-800:]}")
