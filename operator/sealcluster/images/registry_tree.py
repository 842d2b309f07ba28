"""The `registry/` directory of an image: a docker-distribution tree, taken apart into blobs and link files."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from sealcluster.images.digest import hex_of
from sealcluster.images.errors import ImageCorrupt, TooLarge
from sealcluster.images.limits import Limits
from sealcluster.images.tree import Directory, File, walk

_BLOB = re.compile(r"docker/registry/v2/blobs/sha256/([0-9a-f]{2})/([0-9a-f]{64})/data")
_REPOSITORY = r"docker/registry/v2/repositories/[a-z0-9]+(?:[._/-]+[a-z0-9]+)*"
_LINK = re.compile(
    rf"{_REPOSITORY}/(?:_layers/sha256/[0-9a-f]{{64}}|_manifests/revisions/sha256/[0-9a-f]{{64}}"
    r"|_manifests/tags/\w[\w.-]{0,127}/(?:current|index/sha256/[0-9a-f]{64}))/link",
    re.ASCII,
)
_MAX_LINK = 128


@dataclass(frozen=True, slots=True)
class RegistryContent:
    """What the tree holds: blobs by digest (hex), and link files with the `sha256:<hex>` that they say."""

    blobs: dict[str, File]
    links: tuple[tuple[str, str], ...]


def read_registry(directory: Directory, read: Callable[[File], bytes], limits: Limits, what: str) -> RegistryContent:
    """Take the tree apart; `read` returns a small file's bytes. Files that are neither blob nor link are left out.

    Uploads that a build left behind, `.DS_Store` and the like do no harm, but must not reach a registry either.
    """
    blobs: dict[str, File] = {}
    links: list[tuple[str, str]] = []
    text = 0
    for path, node in walk(directory):
        if not isinstance(node, File):
            continue
        if match := _BLOB.fullmatch(path):
            if match[1] != match[2][:2]:
                raise ImageCorrupt(f"reading {what}: registry/{path} lies in the wrong directory")
            blobs[match[2]] = node
        elif _LINK.fullmatch(path):
            text += len(path) + _MAX_LINK
            if node.size > _MAX_LINK or text > limits.text:
                raise TooLarge(f"reading {what}: registry/{path} is too long, or there are too many links")
            links.append((path, _link(read(node), path, what)))
    return RegistryContent(blobs, tuple(links))


def _link(content: bytes, path: str, what: str) -> str:
    try:
        digest = content.decode("ascii").strip()
        hex_of(digest)
    except (UnicodeDecodeError, ImageCorrupt):
        raise ImageCorrupt(f"reading {what}: registry/{path} holds no digest") from None
    return digest
