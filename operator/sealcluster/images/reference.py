"""Image references: `registry/repository:tag@digest`, `oci-archive:path`, `docker-archive:path`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sealcluster.images.errors import InvalidReference

DEFAULT_REGISTRY = "docker.io"
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:.]{{2,45}}\])(?::([0-9]{{1,5}}))?")
_MAX_LENGTH = 1_024
_MAX_REPOSITORY = 255
_ARCHIVES = ("oci-archive", "docker-archive")


@dataclass(frozen=True, slots=True)
class RegistryReference:
    """An image in a registry. The digest, where given, decides; the tag is then only a name."""

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.registry}/{self.repository}{tag}" + (f"@{self.digest}" if self.digest else "")

    @property
    def wanted(self) -> str:
        """What the registry is asked for: the digest or the tag."""
        return self.digest or self.tag

    @property
    def host(self) -> str:
        """Host and port that serve the API; Docker Hub's is not its name."""
        return "registry-1.docker.io" if self.registry == DEFAULT_REGISTRY else self.registry


@dataclass(frozen=True, slots=True)
class ArchiveReference:
    """An image in a file; `kind` is `oci-archive` or `docker-archive`, `image` picks one of several by its name."""

    kind: str
    path: str
    image: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.path}" + (f":{self.image}" if self.image else "")


Reference = RegistryReference | ArchiveReference


def parse_reference(text: str) -> Reference:
    """Read a reference; names without a registry are Docker Hub's, without a tag `latest`."""
    if len(text) > _MAX_LENGTH or not text.isprintable() or " " in text:
        raise InvalidReference(f"reading image reference {text[:80]!a}: too long, or with spaces or control characters")
    kind, separator, rest = text.partition(":")
    if separator and kind in _ARCHIVES:
        path, _, image = rest.partition(":")
        if not path:
            raise InvalidReference(f"reading image reference {text!a}: no path after {kind}:")
        return ArchiveReference(kind, path, image)
    if text.startswith(("/", "./", "../")):
        raise InvalidReference(f"reading image reference {text!a}: write oci-archive:{text} or docker-archive:{text} for a file")
    return _registry(text.removeprefix("docker://"), text)


def _registry(text: str, original: str) -> RegistryReference:
    def bad(problem: str) -> InvalidReference:
        return InvalidReference(f"reading image reference {original!a}: {problem}")

    name, separator, digest = text.partition("@")
    if separator and not _DIGEST.fullmatch(digest):
        raise bad("the digest must be sha256:<64 hex digits>")
    head, slash, last = name.rpartition("/")
    last, separator, tag = last.partition(":")
    if separator and not _TAG.fullmatch(tag):
        raise bad("the tag must be letters, digits, _ . - and at most 128 of them")
    registry, repository = _split(head + slash + last)
    host = _HOST.fullmatch(registry)
    if host is None or not 0 < int(host[1] or 1) < 65_536:
        raise bad("the registry must be a host name or address, with a port if it needs one")
    if not _REPOSITORY.fullmatch(repository) or len(repository) > _MAX_REPOSITORY:
        raise bad("the repository must be lower-case letters and digits, separated by / . _ or -")
    return RegistryReference(registry.lower(), repository, tag or ("" if digest else "latest"), digest)


def _split(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        return DEFAULT_REGISTRY, name if slash else f"library/{name}"
    if first in ("docker.io", "index.docker.io", "registry-1.docker.io"):
        return DEFAULT_REGISTRY, rest if "/" in rest else f"library/{rest}"
    return first, rest
