"""The distribution server of a machine: trees of blobs and links, served by the unit `registry`."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import bcrypt


@dataclass
class Tree:
    """A docker-distribution tree."""

    blobs: set[str] = field(default_factory=set)
    links: dict[str, str] = field(default_factory=dict)
    repositories: dict[str, set[str]] = field(default_factory=dict)
    """Content parts offered as blobs, by repository."""

    def has_image(self, image: str) -> bool:
        """Is this ``name:tag`` in the tree?"""
        name, _, tag = image.rpartition(":")
        return f"docker/registry/v2/repositories/{name}/_manifests/tags/{tag}/current/link" in self.links


@dataclass
class Registry:
    """What is on the disk and what the server is configured with."""

    trees: dict[str, Tree] = field(default_factory=dict)
    """By path."""
    tree: str | None = None
    """Path that the data directory links to."""
    htpasswd: str = ""
    port: int = 5000

    def served(self) -> Tree | None:
        """The tree behind the data directory."""
        return self.trees.get(self.tree) if self.tree is not None else None

    def admits(self, username: str, password: str) -> bool:
        """Does basic authentication succeed? Without a password file everybody may read."""
        if not self.htpasswd:
            return True
        for line in self.htpasswd.splitlines():
            user, _, hashed = line.strip().partition(":")
            if user == username and _matches(password, hashed):
                return True
        return False


@lru_cache(maxsize=256)
def _matches(password: str, hashed: str) -> bool:
    return hashed.startswith("$2") and bcrypt.checkpw(password.encode(), hashed.encode())
