"""Builds the small Go programs that the interpreter is compared with, and talks to them."""

import atexit
import functools
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

SOURCES = Path(__file__).parent / "gotemplate"


@functools.cache
def _build(program: str) -> Path | str:
    """Return the binary, or why there is none."""
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if go is None:
        return "Go is not installed"
    directory = tempfile.mkdtemp(prefix="sealcluster-go-")
    atexit.register(shutil.rmtree, directory)
    binary = Path(directory) / program
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "CGO_ENABLED": "0"}
    built = subprocess.run(
        [go, "build", "-o", str(binary), "."], cwd=SOURCES / program, env=environment, capture_output=True, text=True, check=False
    )
    if built.returncode == 0:
        return binary
    if "dial tcp" in built.stderr or "module lookup disabled" in built.stderr:
        return f"the module of {program} is not in Go's cache and cannot be fetched"
    raise AssertionError(built.stderr)


def ask(program: str, requests: Sequence[object]) -> list[object]:
    """Send each request to the program and return its answers; skips the test where it cannot be built."""
    binary = _build(program)
    if isinstance(binary, str):
        pytest.skip(binary)
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run([str(binary)], input=lines, capture_output=True, text=True, check=True, timeout=60)
    return [json.loads(line) for line in done.stdout.splitlines()]
