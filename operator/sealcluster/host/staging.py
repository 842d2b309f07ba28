"""The files of a job, as the tar that goes to the host: modes 0600, everything below `in/` is removed when the job ends."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Mapping, Sequence

from sealcluster.core.ops import File
from sealcluster.host.scripts import Value, assign


class Inputs:
    """Collects what an op's script finds in its job directory."""

    def __init__(self, values: Mapping[str, Value] | None = None) -> None:
        self._files: dict[str, bytes] = {"in/vars": assign(values or {}).encode() + b"\n"}

    def put(self, path: str, content: bytes | str) -> Inputs:
        """Add a file below the job directory."""
        self._files[path] = content.encode() if isinstance(content, str) else content
        return self

    def put_files(self, files: Sequence[File]) -> Inputs:
        """Add files for the script function `put_all`, and the lines that the managed list would get for them."""
        rows, managed = [], []
        for number, file in enumerate(files):
            self._files[f"in/files/{number}"] = file.content
            rows.append(f"{file.mode:04o} {number} {checked_path(file.path)}\n")
            managed.append(f"{hashlib.sha256(file.content).hexdigest()}  {file.path}\n")
        self.put("in/files.list", "".join(rows))
        return self.put("in/managed", "".join(managed))

    def tar(self) -> bytes:
        """The archive."""
        return tar_of(self._files, 0o600)


def tar_of(files: Mapping[str, bytes], mode: int) -> bytes:
    """A tar with these files, and directories open to whoever may read the files."""
    stream = io.BytesIO()
    directories: dict[str, None] = {}
    for path in files:
        parts = path.split("/")[:-1]
        directories.update(dict.fromkeys("/".join(parts[: depth + 1]) for depth in range(len(parts))))
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path in directories:
            info = tarfile.TarInfo(path)
            info.type, info.mode = tarfile.DIRTYPE, mode | (mode & 0o444) >> 2
            archive.addfile(info)
        for path, content in files.items():
            info = tarfile.TarInfo(path)
            info.size, info.mode = len(content), mode
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def checked_path(path: str) -> str:
    """A path that survives a line-wise list in shell; ValueError for others."""
    if not path or "\n" in path or path != path.strip() or "\\" in path or ".." in path.split("/"):
        raise ValueError(f"writing a file: {path!r} is not a path that scripts can carry")
    return path
