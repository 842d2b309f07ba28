"""What an image was found to consist of, kept beside the content so that it is pulled and cut only once."""

from __future__ import annotations

import dataclasses
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from sealcluster.core.images import ImageInfo, Part, RegistryTree
from sealcluster.images.digest import is_hex
from sealcluster.images.store import ContentStore

FORMAT = 2
"""Part of every record's name: a release that cuts differently does not take up the records of another."""


def key_of(digest: str) -> str:
    """Name of the record of the image whose manifest has this digest (hex)."""
    return f"{digest}-{FORMAT}"


def save(store: ContentStore, key: str, info: ImageInfo) -> None:
    """Write a record; its content must be in the store."""
    store.lease.hold(key)
    with store.scratch() as scratch:
        scratch.write_text(json.dumps(dataclasses.asdict(info), default=dict))
        scratch.replace(store.images / f"{key}.json")


def load(store: ContentStore, key: str) -> ImageInfo | None:
    """Return the record if all of its content is here, which is then held for this process."""
    store.lease.hold(key)
    path = store.images / f"{key}.json"
    try:
        document: dict[str, Any] = json.loads(path.read_text())
        info = _info(document)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError):
        path.unlink(missing_ok=True)  # written by a machine that crashed, or by hand: it is only a memory
        return None
    if not all(store.has(part.digest, part.size) for part in needs(info)):
        return None
    os.utime(path)
    return info


def resolution_key(store: ContentStore, ref: str, arch: str, credentials: tuple[str, str] | None) -> str:
    """Name for what a reference meant to somebody with these credentials; tells nothing about them."""
    salt = store.root / "salt"
    if not salt.exists():
        with store.scratch() as scratch, suppress(FileExistsError):
            scratch.write_bytes(secrets.token_bytes(32))
            salt.hardlink_to(scratch)  # whole or not at all, and only the first one
    return hmac.digest(salt.read_bytes(), repr((ref, arch, credentials)).encode(), "sha256").hex()


def remember(store: ContentStore, key: str, digest: str) -> None:
    """Note the digest (hex) that a reference meant."""
    with store.scratch() as scratch:
        scratch.write_text(digest)
        scratch.replace(store.resolutions / key)


def recall(store: ContentStore, key: str) -> ImageInfo | None:
    """Return the image that a reference meant the last time, if it is all here."""
    try:
        digest = (store.resolutions / key).read_text()
    except FileNotFoundError:
        return None
    return load(store, key_of(digest)) if is_hex(digest) else None


def needs(info: ImageInfo) -> tuple[Part, ...]:
    """All content of an image."""
    return (*info.parts, *info.registry.blobs)


def _parts(documents: list[Mapping[str, Any]]) -> tuple[Part, ...]:
    return tuple(Part(**document) for document in documents)


def _info(document: dict[str, Any]) -> ImageInfo:
    registry = document.pop("registry")
    tree = RegistryTree(_parts(registry["blobs"]), tuple((path, digest) for path, digest in registry["links"]))
    document["parts"] = _parts(document["parts"])
    for name in ("commands", "configs", "opaque"):
        document[name] = tuple(document[name])
    return ImageInfo(registry=tree, **document)
