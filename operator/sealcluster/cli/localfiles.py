"""Private files that are either the old or the new ones, whatever dies: 0600, fsync, rename."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sealcluster.core.errors import TerminalError

_NAME = re.compile(r"[A-Za-z0-9._-]{1,253}")


def checked_name(name: str) -> str:
    """The name, if it is one path segment; TerminalError else: it comes from a user and must not leave its folder."""
    if not _NAME.fullmatch(name) or name.startswith("."):
        raise TerminalError(
            f"naming {name!r}: it is not a valid name", reason="InvalidSpec", hint="use letters, digits, '-' and '.', nothing else"
        )
    return name


def make_folder(path: Path) -> None:
    """Make it 0700 with its parents; a folder that is there is closed for others too."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)


def read(path: Path) -> bytes | None:
    """Its content; None when there is no such file."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def write(path: Path, data: bytes) -> None:
    """Replace the file atomically, mode 0600."""
    make_folder(path.parent)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    fresh = Path(name)
    try:
        _fill(descriptor, data)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_folder(path: Path, files: Mapping[str, bytes]) -> None:
    """Make a folder with exactly these files (0700, 0600); it gets its name when it is complete. Fails (OSError) where one is already."""
    make_folder(path.parent)
    fresh = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        for name, data in files.items():
            _fill(os.open(fresh / checked_name(name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), data)
        sync_folder(fresh)
        fresh.rename(path)
    except BaseException:
        shutil.rmtree(fresh)
        raise
    sync_folder(path.parent)


def stamp(path: Path) -> str:
    """A text that is another one after the file was replaced; says nothing about its content. Empty: there is no such file."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return ""
    return f"{status.st_ino}-{status.st_mtime_ns}"


def sync_folder(path: Path) -> None:
    """Make names in this folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive flock on this file; waits for other processes and threads."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _fill(descriptor: int, data: bytes) -> None:
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
