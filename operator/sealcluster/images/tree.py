"""The merged tree of an image, in memory: names, modes and the places of files' bytes. Nothing is ever unpacked by path.

Because no path of the image is ever created on our disk, there is nothing that a link, `..` or a strange name
could lead out of.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class File:
    """A regular file: `size` bytes at `offset` of the uncompressed layer number `layer`."""

    mode: int
    layer: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Symlink:
    """A symbolic link; `target` is relative and stays inside of the tree."""

    target: str


@dataclass(slots=True)
class Directory:
    """A directory. The last three say what a layer does to the layers below it."""

    mode: int = 0o755
    children: dict[str, Node] = field(default_factory=dict)
    implied: bool = True
    """No entry of its own, only entries below it."""
    opaque: bool = False
    """Hides everything that lower layers have here."""
    whiteouts: set[str] | None = None
    """Names that it hides from lower layers."""


Node = File | Symlink | Directory


class BlockedPath(Exception):
    """A layer has entries below something that is no directory; `path` names it."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


def merge(lower: Directory, upper: Directory, path: str = "") -> None:
    """Lay a layer over the layers below it; `lower` becomes the result."""
    if upper.opaque:
        lower.children.clear()
    for name in upper.whiteouts or ():
        lower.children.pop(name, None)
    for name, node in upper.children.items():
        below = lower.children.get(name)
        if not isinstance(node, Directory):
            lower.children[name] = node
        elif isinstance(below, Directory):
            below.mode = below.mode if node.implied else node.mode
            merge(below, node, f"{path}{name}/")
        elif below is not None and node.implied:
            # Only a link or a file can stand here: whatever the layer puts below would land somewhere else.
            raise BlockedPath(f"{path}{name}")
        else:
            lower.children[name] = made = Directory(node.mode)
            merge(made, node, f"{path}{name}/")


def walk(directory: Directory, path: str = "") -> Iterator[tuple[str, Node]]:
    """Yield every node below with its path, sorted by name, directories before what they hold."""
    for name in sorted(directory.children):
        node = directory.children[name]
        yield f"{path}{name}", node
        if isinstance(node, Directory):
            yield from walk(node, f"{path}{name}/")


def find(root: Directory, path: str) -> Node | None:
    """Return the node at a path, without following links."""
    node: Node | None = root
    for name in path.split("/"):
        node = node.children.get(name) if isinstance(node, Directory) else None
    return node
