"""Content digests: only sha256, always checked."""

import re

from sealcluster.images.errors import ImageCorrupt

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_HEX = re.compile(r"[0-9a-f]{64}")


def hex_of(digest: str) -> str:
    """Return the hexadecimal part of `sha256:<hex>`; anything else is refused, other algorithms included."""
    match = _DIGEST.fullmatch(digest)
    if match is None:
        raise ImageCorrupt(f"reading digest {digest[:90]!a}: not sha256:<64 hex digits>")
    return match[1]


def is_hex(text: str) -> bool:
    """Say whether the text is the hexadecimal form of a sha256 digest."""
    return _HEX.fullmatch(text) is not None
