"""Keeps the store below its size: what nobody holds goes, least recently used first, images as a whole."""

from __future__ import annotations

import fcntl
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sealcluster.images.errors import StoreFull
from sealcluster.images.store import ContentStore


@dataclass(frozen=True, slots=True)
class _Record:
    path: Path
    used: float
    digests: frozenset[str]


def make_room(store: ContentStore, needed: int, limit: int) -> int:
    """Remove content until `needed` bytes more stay below `limit`; return how many bytes went. StoreFull when it cannot be."""
    used = sum(size for _, size, _ in _files(store))
    if used + needed <= limit:
        return 0
    freed = 0
    with store.lease.collecting() as (held, living):
        for path, size in _candidates(store, held, living):
            if used - freed + needed <= limit:
                break
            path.unlink(missing_ok=True)
            freed += size
    if used - freed + needed > limit:
        raise StoreFull(
            f"making room for {needed >> 20} MiB in the image store {store.root}: {used - freed >> 20} of {limit >> 20} MiB are in use",
            hint="give the store more room, or delete clusters or images that nobody needs",
        )
    return freed


def _files(store: ContentStore) -> Iterator[tuple[Path, int, float]]:
    directories = (store.blobs, store.partial, store.images)
    paths = [path for directory in directories for path in directory.iterdir()] + [path for _, path in store.scratch_files()]
    for path in paths:
        try:
            stat = path.stat()
        except FileNotFoundError:
            continue
        yield path, stat.st_size, stat.st_mtime


def _candidates(store: ContentStore, held: frozenset[str], living: frozenset[str]) -> Iterator[tuple[Path, int]]:
    """Yield what may go, in the order in which it should go, with its size."""
    for lease, path in list(store.scratch_files()):
        if lease not in living:
            yield path, _size(path)
    records = sorted(_records(store), key=lambda record: record.used)
    users = Counter(digest for record in records for digest in record.digests)
    files = sorted(_files(store), key=lambda file: file[2])
    for path, size, _ in files:
        loose = path.parent == store.blobs and path.name not in held and not users[path.name]
        if loose or (path.parent == store.partial and path.name.partition("-")[0] not in held and not _locked(path)):
            yield path, size
    for record in records:
        if record.path.stem in held:
            continue
        yield record.path, _size(record.path)
        for digest in sorted(record.digests):
            users[digest] -= 1
            if not users[digest] and digest not in held:
                yield store.path(digest), _size(store.path(digest))


def _records(store: ContentStore) -> Iterator[_Record]:
    for path in store.images.glob("*.json"):
        try:
            document = json.loads(path.read_text())
            parts = [*document["parts"], *document["registry"]["blobs"]]
            yield _Record(path, path.stat().st_mtime, frozenset(part["digest"] for part in parts))
        except (ValueError, TypeError, KeyError, FileNotFoundError):
            path.unlink(missing_ok=True)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _locked(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False
