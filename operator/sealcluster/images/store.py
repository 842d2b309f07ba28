"""The content store: a directory of files named by their sha256, shared by processes, bounded in size.

::

    blobs/<hex>          content, complete and verified
    partial/<hex>-<from> a download that can be resumed; locked by whoever writes it
    images/<key>.json    what an image consists of (see `records`)
    resolutions/<key>    the digest that a reference meant the last time
    scratch/             temporary files; what a dead process left is swept
    leases/<pid>-<n>     what a living process relies on (see `leases`)
"""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from sealcluster.images.errors import DigestMismatch, StoreFull
from sealcluster.images.leases import Lease

_CHUNK = 1 << 20


class ContentStore:
    """One store directory. All methods block for as long as the disk takes; none of them waits for anything else."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.blobs = root / "blobs"
        self.partial = root / "partial"
        self.images = root / "images"
        self.resolutions = root / "resolutions"
        self._scratch = root / "scratch"
        root.mkdir(mode=0o700, parents=True, exist_ok=True)  # images may be private
        for directory in (self.blobs, self.partial, self.images, self.resolutions, self._scratch):
            directory.mkdir(exist_ok=True)
        self.lease = Lease(root)

    def path(self, digest: str) -> Path:
        """Where the content with this digest (hex) lies or would lie."""
        return self.blobs / digest

    def has(self, digest: str, size: int | None = None) -> bool:
        """As `here`; it is held for this process from now on."""
        self.lease.hold(digest)
        return self.here(digest, size)

    def here(self, digest: str, size: int | None = None) -> bool:
        """Say whether the content is here, for somebody whose `Use` keeps it; it counts as used now.

        A file of another size is what a crash of the machine left: it is removed.
        """
        path = self.path(digest)
        try:
            found = path.stat().st_size
        except FileNotFoundError:
            return False
        if size is not None and found != size:
            path.unlink(missing_ok=True)
            return False
        with suppress(FileNotFoundError):  # removed since by hand: the caller will notice when it opens the file
            os.utime(path)
        return True

    def verify(self, digest: str) -> bool:
        """Read the content and compare; what is damaged is removed."""
        try:
            with self.path(digest).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            return False
        if found != digest:
            self.path(digest).unlink(missing_ok=True)
        return found == digest

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A temporary file, gone afterwards unless it was adopted."""
        handle, name = tempfile.mkstemp(dir=self._scratch, prefix=f"{self.lease.name}.")
        os.close(handle)
        path = Path(name)
        try:
            with full_disk(self.root):
                yield path
        finally:
            path.unlink(missing_ok=True)

    def adopt(self, path: Path, digest: str, size: int) -> None:
        """Make a finished file, whose digest the caller computed while writing, part of the store, and hold it for this process."""
        self.lease.hold(digest)
        self.place(path, digest, size)

    def place(self, path: Path, digest: str, size: int) -> None:
        """As `adopt`, for somebody whose `Use` keeps it. Of two who bring the same the first counts."""
        if self.here(digest, size):
            path.unlink(missing_ok=True)
        else:
            path.replace(self.path(digest))

    def ingest(self, source: BinaryIO, offset: int, size: int, digest: str, what: str) -> None:
        """Copy `size` bytes from a file into the store, verifying them."""
        content = hashlib.sha256()
        with self.scratch() as scratch:
            with scratch.open("wb") as out:
                source.seek(offset)
                left = size
                while left and (data := source.read(min(left, _CHUNK))):
                    content.update(data)
                    out.write(data)
                    left -= len(data)
            if left or content.hexdigest() != digest:
                raise DigestMismatch(f"reading {what}: the content has sha256:{content.hexdigest()}, its name says sha256:{digest}")
            self.adopt(scratch, digest, size)

    def scratch_files(self) -> Iterator[tuple[str, Path]]:
        """Every temporary file with the name of the lease that it belongs to."""
        for path in self._scratch.iterdir():
            yield path.name.partition(".")[0], path


@contextmanager
def full_disk(root: Path) -> Iterator[None]:
    """Say "no space" in the words of the store."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFull(f"writing to the image store {root}: the disk is full", hint="give the store more room") from error
        raise
