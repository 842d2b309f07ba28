"""A download that survives its connection, its process and its machine: written in pieces, verified as a whole."""

from __future__ import annotations

import fcntl
import hashlib
import os
from contextlib import suppress
from typing import BinaryIO

from sealcluster.images.errors import DigestMismatch
from sealcluster.images.store import ContentStore, full_disk

_CHUNK = 1 << 20


class Partial:
    """One partial file, locked while it is open. Methods block for the disk only.

    `source` says where the content comes from: who pulls the same from elsewhere has a file of its own and waits for nobody.
    """

    def __init__(self, store: ContentStore, digest: str, size: int, source: str) -> None:
        self._store = store
        self.digest = digest
        self.size = size
        self._path = store.partial / f"{digest}-{hashlib.sha256(source.encode()).hexdigest()[:16]}"
        self._file: BinaryIO | None = None
        self._hash = hashlib.sha256()
        self.offset = 0

    def open(self) -> bool:
        """Take the file up where it was left; False when somebody else is writing it now."""
        file = self._path.open("a+b")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        with suppress(FileNotFoundError):
            if self._path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                self._file = file
                self._take_up()
                return True
        file.close()  # whoever had it finished or removed it between our opening and locking it
        return False

    def _take_up(self) -> None:
        file = self._opened()
        file.seek(0)
        while data := file.read(_CHUNK):
            self._hash.update(data)
            self.offset += len(data)
        if self.offset > self.size:
            self.restart()

    def _opened(self) -> BinaryIO:
        if self._file is None:
            raise ValueError("the partial file is not open")
        return self._file

    def restart(self) -> None:
        """Forget what is here."""
        self._opened().truncate(0)
        self._hash = hashlib.sha256()
        self.offset = 0

    def write(self, data: bytes) -> None:
        """Append."""
        with full_disk(self._store.root):
            file = self._opened()
            file.write(data)
            file.flush()
        self._hash.update(data)
        self.offset += len(data)

    def finish(self, what: str) -> None:
        """Verify and move into the store. Wrong content is forgotten: the next attempt begins at the beginning."""
        found = self._hash.hexdigest()
        if self.offset != self.size or found != self.digest:
            self.restart()
            raise DigestMismatch(f"pulling {what}: the content has sha256:{found}, the manifest says sha256:{self.digest}")
        self._store.place(self._path, self.digest, self.size)

    def close(self) -> None:
        """Let go; what was written stays for the next attempt."""
        if self._file is not None:
            if not self.offset:
                self._path.unlink(missing_ok=True)
            self._file.close()
            self._file = None
