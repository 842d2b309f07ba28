"""Finds the credentials for a repository among those of the pull secrets, and reads dockerconfigjson."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping

from sealcluster.core.errors import TerminalError
from sealcluster.images.reference import DEFAULT_REGISTRY, RegistryReference

_HUB = ("docker.io", "index.docker.io", "registry-1.docker.io")


def credentials_for(auths: Mapping[str, tuple[str, str]], ref: RegistryReference) -> tuple[str, str] | None:
    """Return user and password of the most specific entry: `host`, `host/path`, with or without scheme and /v1/."""
    best: tuple[int, tuple[str, str]] | None = None
    for key, value in auths.items():
        entry = _normal(key)
        if f"{ref.registry}/{ref.repository}/".startswith(f"{entry}/") and (best is None or len(entry) > best[0]):
            best = len(entry), value
    return best[1] if best else None


def _normal(key: str) -> str:
    text = key.partition("://")[2] or key
    text = text.rstrip("/").removesuffix("/v1").removesuffix("/v2")
    host, slash, path = text.partition("/")
    return (DEFAULT_REGISTRY if host in _HUB else host.lower()) + slash + path


def parse_docker_config(text: str, source: str) -> dict[str, tuple[str, str]]:
    """Read a `.dockerconfigjson`; `source` names it in errors, which never show its content."""

    def bad(problem: str) -> TerminalError:
        return TerminalError(
            f"reading pull credentials from {source}: {problem}",
            reason="SecretMissing",
            hint="write it as `kubectl create secret docker-registry` does",
        )

    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise bad("no valid JSON") from None
    auths = document.get("auths") if isinstance(document, dict) else None
    if not isinstance(auths, dict):
        raise bad("no map `auths`")
    found: dict[str, tuple[str, str]] = {}
    for host, entry in auths.items():
        if not isinstance(entry, dict):
            raise bad(f"the entry of {str(host)[:80]!a} is no map")
        user, password = entry.get("username"), entry.get("password")
        if not user and entry.get("auth"):
            try:
                user, _, password = base64.b64decode(str(entry["auth"]), validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                raise bad(f"auth of {str(host)[:80]!a} is no base64") from None
        if not isinstance(user, str) or not isinstance(password, str) or not user:
            raise bad(f"the entry of {str(host)[:80]!a} has neither auth nor username and password")
        found[host] = (user, password)
    return found
