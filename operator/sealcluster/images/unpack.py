"""Layers become one tree: whiteouts, links and modes as the image specification has them, and nothing that could do harm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sealcluster.images.errors import TooLarge, UnsafeImage
from sealcluster.images.limits import Limits
from sealcluster.images.tar_reader import Entry, TarReader
from sealcluster.images.tree import BlockedPath, Directory, File, Symlink, find, merge

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_META = ".wh..wh."  # what else begins so is bookkeeping of an old union file system


@dataclass(frozen=True, slots=True)
class Layer:
    """An uncompressed layer: `size` bytes at `offset` of a file."""

    path: Path
    offset: int
    size: int


def unpack(layers: Sequence[Layer], limits: Limits, what: str) -> Directory:
    """Read the headers of all layers, lowest first, and return the merged tree; the files' bytes stay where they are."""
    root = Directory()
    left = limits.entries
    for number, layer in enumerate(layers):
        reader = _LayerReader(root, number, limits, f"layer {number + 1} of {what}")
        with layer.path.open("rb") as file:
            for entry in TarReader(file, layer.offset, layer.size, reader.what, max_headers=left):
                reader.place(entry)
        left -= reader.entries
        try:
            merge(root, reader.upper)
        except BlockedPath as blocked:
            raise UnsafeImage(f"reading {reader.what}: {blocked.path!a} has entries below it but is no directory") from None
    return root


class _LayerReader:
    """Builds the tree of one layer."""

    def __init__(self, lower: Directory, number: int, limits: Limits, what: str) -> None:
        self.upper = Directory()
        self.what = what
        self.entries = 0
        self._lower = lower
        self._number = number
        self._limits = limits

    def _unsafe(self, name: str, problem: str) -> UnsafeImage:
        return UnsafeImage(f"reading {self.what}: entry {name[:200]!a} {problem}")

    def place(self, entry: Entry) -> None:
        """Put one entry into the tree."""
        self.entries += 1
        parts = self._parts(entry.name)
        if not parts:
            if entry.kind != "directory":
                raise self._unsafe(entry.name, "has no name")
            return
        if any(part.startswith(_META) for part in parts[:-1]):
            return
        parent, name = self._parent(parts, entry.name), parts[-1]
        if name.startswith(_WHITEOUT):
            self._whiteout(parent, name, entry.name)
        elif entry.kind == "directory":
            self._directory(parent, name, entry.mode)
        else:
            below = parent.children.get(name)
            if isinstance(below, Directory) and below.children:
                raise self._unsafe(entry.name, "is a directory with content earlier in the layer")
            parent.children[name] = self._leaf(entry, parts)

    def _parts(self, name: str) -> list[str]:
        if name.startswith("/"):
            raise self._unsafe(name, "has an absolute path")
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if ".." in parts:
            raise self._unsafe(name, "has .. in its path")
        self._check_length(name, name, parts)
        return parts

    def _check_length(self, name: str, text: str, parts: Sequence[str]) -> None:
        longest = max((len(part.encode()) for part in parts), default=0)
        if len(text.encode()) > self._limits.path or longest > self._limits.name or len(parts) > self._limits.depth:
            raise TooLarge(f"reading {self.what}: entry {name[:80]!a}… has too long or too deep a path")
        if not text.isprintable():
            raise self._unsafe(name, "has control characters in its path or target")

    def _parent(self, parts: Sequence[str], name: str) -> Directory:
        directory = self.upper
        for part in parts[:-1]:
            if part.startswith(_WHITEOUT):
                raise self._unsafe(name, "lies below a whiteout")
            node = directory.children.setdefault(part, Directory())
            if not isinstance(node, Directory):
                raise self._unsafe(name, "lies below a link or a file")
            directory = node
        return directory

    def _whiteout(self, parent: Directory, name: str, path: str) -> None:
        if name == _OPAQUE:
            parent.opaque = True
        elif not name.startswith(_META):
            hidden = name.removeprefix(_WHITEOUT)
            if hidden in ("", ".", ".."):
                raise self._unsafe(path, "is a whiteout of nothing")
            if parent.whiteouts is None:
                parent.whiteouts = set()
            parent.whiteouts.add(hidden)

    def _directory(self, parent: Directory, name: str, mode: int) -> None:
        node = parent.children.get(name)
        if not isinstance(node, Directory):
            node = parent.children[name] = Directory()
        node.mode, node.implied = mode, False

    def _leaf(self, entry: Entry, parts: Sequence[str]) -> File | Symlink:
        if entry.kind == "file":
            return File(entry.mode, self._number, entry.offset, entry.size)
        if entry.kind == "symlink":
            return Symlink(self._symlink_target(entry, parts))
        target = "/".join(self._parts(entry.target))
        node = find(self.upper, target) or find(self._lower, target)
        if not isinstance(node, File):
            raise self._unsafe(entry.name, f"is a hard link to {entry.target[:200]!a}, which is no file of the image")
        return node

    def _symlink_target(self, entry: Entry, parts: Sequence[str]) -> str:
        """Return the target as a relative path with `..` only in front.

        Absolute targets mean the image's root, not the host's. Because `..` then only climbs real directories,
        no chain of links inside of the tree can lead out of it.
        """
        names = [name for name in entry.target.split("/") if name not in ("", ".")]
        self._check_length(entry.name, entry.target, names)
        here = list(parts[:-1])
        there = [] if entry.target.startswith("/") else list(here)
        for name in names:
            if name != "..":
                there.append(name)
            elif there:
                there.pop()
            else:
                raise self._unsafe(entry.name, f"links to {entry.target[:200]!a}, out of the image")
        if not entry.target:
            raise self._unsafe(entry.name, "links to nothing")
        common = 0
        while common < min(len(here), len(there)) and here[common] == there[common]:
            common += 1
        return "/".join([".."] * (len(here) - common) + there[common:]) or "."
