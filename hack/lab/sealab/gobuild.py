"""Builds the lab's Go commands once, lazily, into a cache keyed by everything they are built from."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from sealab.errors import LabError
from sealab.gobuild_recipes import RECIPES, Recipe
from sealab.gobuild_toolchain import go, go_env, go_version, locked
from sealab.paths import CACHE, SOURCE

_NEEDED_BYTES = 6 << 30
"""A cold build of Kubernetes fills about 5 GB of Go's caches and the lab's own."""

_PROGRESS_SECONDS = 10


def binary(name: str, version: str | None = None) -> Path:
    """Path of one built command, e.g. `binary("kubelet", "v1.34.4")`; without a version: the lab's default.

    Builds it when the cache lacks it (minutes when cold). Parallel callers build once.
    """
    return binaries([name], version)[name]


def binaries(names: Iterable[str], version: str | None = None) -> dict[str, Path]:
    """Paths of several commands of one module, the missing ones built by one `go build`.

    Raises LabError when no recipe has them all or the build fails.
    """
    wanted = list(dict.fromkeys(names))
    recipe = recipe_of(wanted, version)
    folder = CACHE / "bin" / build_key(recipe)
    paths = {name: folder / name for name in wanted}
    if all(path.exists() for path in paths.values()):
        return paths
    with locked(folder.parent / f"{folder.name}.lock"):
        missing = [name for name in wanted if not paths[name].exists()]
        if missing:
            _build(recipe, missing, folder)
    return paths


def recipe_of(names: Iterable[str], version: str | None = None) -> Recipe:
    """The recipe that builds all these commands; LabError when there is none."""
    names = list(names)
    for recipe in RECIPES:
        if all(name in recipe.commands for name in names) and version in (None, recipe.version):
            return recipe
    known = ", ".join(f"{recipe.module} {recipe.version}" for recipe in RECIPES)
    raise LabError(f"building {' '.join(names)} {version or ''}: no recipe for it; the lab builds {known}")


def build_key(recipe: Recipe) -> str:
    """Folder name in the cache: module, version and a hash of sources, pins, flags and Go's version."""
    module = SOURCE / "go" / recipe.module
    digest = hashlib.sha256(f"{go_version()}\n{recipe.ldflags}\n{sorted(recipe.commands.items())}\n".encode())
    for path in sorted(module.rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(module)}\n".encode() + path.read_bytes())
    return f"{recipe.module}-{recipe.version}-{digest.hexdigest()[:16]}"


def _build(recipe: Recipe, names: list[str], folder: Path) -> None:
    """Builds into a scratch folder beside the target, then moves each binary into place at once."""
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < _NEEDED_BYTES:
        raise LabError(
            f"building {recipe.module}: {free >> 20} MB free below {folder}, {_NEEDED_BYTES >> 20} MB needed; "
            "free some, or set SEALAB_CACHE and GOCACHE to a larger disk"
        )
    with tempfile.TemporaryDirectory(dir=folder, prefix=".build-") as scratch:
        started = time.monotonic()
        _say(f"building {recipe.version} of {', '.join(names)} from Go modules")
        _go_build(recipe, names, Path(scratch))
        for name in names:
            # `go build -o FOLDER/` names a command after its import path, without the major version
            built = Path(scratch) / _output_name(recipe.commands[name])
            built.chmod(0o755)
            built.rename(folder / name)
        _say(f"built {', '.join(names)} in {time.monotonic() - started:.0f} s")


def _go_build(recipe: Recipe, names: list[str], target: Path) -> None:
    command = [str(go()), "build", "-mod=readonly", "-trimpath", "-v", "-ldflags", recipe.ldflags]
    command += ["-o", f"{target}/", *(recipe.commands[name] for name in names)]
    started = spoken = time.monotonic()
    compiled = 0
    tail: list[str] = []
    with subprocess.Popen(
        ["nice", "-n", "5", *command],
        cwd=SOURCE / "go" / recipe.module,
        env=go_env(),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            tail = [*tail[-19:], line.rstrip()]
            compiled += 1
            if time.monotonic() - spoken > _PROGRESS_SECONDS:
                spoken = time.monotonic()
                _say(f"  … {compiled} packages, {spoken - started:.0f} s, now {line.strip()}")
    if process.returncode != 0:
        raise LabError(f"building {recipe.module}: go build exited {process.returncode}: " + " | ".join(tail))


def _output_name(import_path: str) -> str:
    last = os.path.basename(import_path)  # noqa: PTH119 - an import path, not a file
    if last.startswith("v") and last[1:].isdigit():
        last = import_path.split("/")[-2]
    return last


def _say(text: str) -> None:
    print(f"sealab: {text}", file=sys.stderr, flush=True)
