"""One command at a time changes a cluster on this machine.

The fence in the state record protects the cluster itself (a second command would take it over, and the first one's writes would fail,
on machines too); this lock says it before anything begins.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sealcluster.cli import localfiles
from sealcluster.core.errors import TransientError

TRIES, PAUSE = 5, 0.02
"""A look at who works (`holder`) keeps the lock for a moment: how often, and how many seconds apart, it is tried again."""


@contextmanager
def working(directory: Path, command: str) -> Iterator[None]:
    """Hold the lock; TransientError naming the command that holds it."""
    localfiles.make_folder(directory)
    path = directory / "busy"
    descriptor = _take(path)
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "command": command, "since": time.strftime("%H:%M:%S")}).encode(), 0)
        yield
    finally:
        os.ftruncate(descriptor, 0)
        os.close(descriptor)


def holder(directory: Path) -> str:
    """Who works on this cluster now, for people; empty: nobody."""
    path = directory / "busy"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return ""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _who(descriptor)
    finally:
        os.close(descriptor)
    return ""


def _take(path: Path) -> int:
    tries = TRIES
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and os.fstat(descriptor).st_ino == path.stat().st_ino:
                return descriptor
        except BlockingIOError:
            who = _who(descriptor)
            os.close(descriptor)
            tries -= 1
            if tries:
                time.sleep(PAUSE)
                continue
            raise TransientError(
                f"working on cluster {path.parent.name}: {who} is doing that already",
                hint="wait for it, or stop it (Ctrl-C: nothing is lost); plan and status can be used meanwhile",
            ) from None
        os.close(descriptor)  # the cluster was deleted while we waited for its lock


def _who(descriptor: int) -> str:
    try:
        found = json.loads(os.pread(descriptor, 4096, 0))
        return f"`sealcluster {found['command']}` (process {found['pid']}, since {found['since']})"
    except (ValueError, KeyError, TypeError):
        return "another sealcluster"
