"""Digests of what makes a step's result. They are kept in hosts' journals: a release must never change one without need."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def digest(*values: str | bytes | int) -> str:
    """sha256 (hex) over the values, each prefixed with its length so that no two lists collide."""
    total = hashlib.sha256()
    for value in values:
        data = value if isinstance(value, bytes) else str(value).encode()
        total.update(f"{len(data)}:".encode())
        total.update(data)
    return total.hexdigest()


def digest_items(items: Iterable[tuple[str, str]]) -> str:
    """Digest of a mapping's items, independent of their order."""
    return digest(*(part for item in sorted(items) for part in item))
