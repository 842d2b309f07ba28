"""What users' Secrets say, as values; pure, shared by the operator (Secrets) and the CLI (files)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from typing import Any

from sealcluster.core.errors import TerminalError
from sealcluster.core.ports import Credentials

CREDENTIAL_KEYS = ("username", "password", "ssh-privatekey", "passphrase", "ssh-certificate", "become-password")
"""The keys of `kubernetes.io/basic-auth` and `kubernetes.io/ssh-auth`, and three that they lack."""
DOCKER_CONFIG_KEY = ".dockerconfigjson"


def missing(source: str, what: str = "it does not exist", hint: str = "create it in the namespace of the SealCluster") -> TerminalError:
    """The error for a Secret, or a part of it, that is not there or not usable; `source` is ``Secret ns/name``."""
    return TerminalError(f"reading {source}: {what}", reason="SecretMissing", hint=hint)


def encode(data: Mapping[str, str]) -> dict[str, str]:
    """`data` of a Secret."""
    return {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}


def decode(secret: Mapping[str, Any]) -> dict[str, bytes]:
    """Bytes by key of a Secret (`data`) or ConfigMap (`data` in clear, `binaryData`)."""
    data = secret.get("data") or {}
    if secret.get("kind") == "ConfigMap":
        binary = {key: base64.b64decode(value) for key, value in (secret.get("binaryData") or {}).items()}
        return {key: value.encode() for key, value in data.items()} | binary
    return {key: base64.b64decode(value) for key, value in data.items()}


def text_of(data: Mapping[str, bytes], key: str, source: str) -> str:
    """One key as text; SecretMissing when it is absent or not UTF-8."""
    if key not in data:
        raise missing(source, f"it has no key {key!r}", f"add the key {key!r}; present: {', '.join(sorted(data)) or 'none'}")
    try:
        return data[key].decode()
    except UnicodeDecodeError as error:
        raise missing(source, f"its key {key!r} is not UTF-8 text", "store text") from error


def credentials(data: Mapping[str, bytes], source: str, version: str) -> Credentials:
    """How to log in. A line end after a user name or password is an accident of the editor and left out.

    Where there is no `become-password`, sudo gets `password`.
    """
    found = {key: text_of(data, key, source) for key in CREDENTIAL_KEYS if data.get(key)}
    value = {key: text if key.startswith("ssh-") else text.rstrip("\r\n") for key, text in found.items()}
    if not value.get("password") and not value.get("ssh-privatekey"):
        raise missing(
            source, "it has neither 'password' nor 'ssh-privatekey'", "add one of them (kubernetes.io/basic-auth or kubernetes.io/ssh-auth)"
        )
    return Credentials(
        user=value.get("username") or "root",
        password=value.get("password"),
        private_key=value.get("ssh-privatekey"),
        passphrase=value.get("passphrase"),
        certificate=value.get("ssh-certificate"),
        become_password=value.get("become-password") or value.get("password"),
        version=version,
    )


def registry_auths(configs: Iterable[tuple[str, Mapping[str, bytes]]]) -> dict[str, tuple[str, str]]:
    """User and password by registry from (source, data) of dockerconfigjson Secrets; of several for one registry the first counts."""
    merged: dict[str, tuple[str, str]] = {}
    for source, data in configs:
        text = text_of(data, DOCKER_CONFIG_KEY, source)
        try:
            found = {_registry(name): _login(entry) for name, entry in json.loads(text)["auths"].items()}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
            # The parser's own message quotes the text, which is secret.
            raise missing(
                source,
                f"its key {DOCKER_CONFIG_KEY!r} is not a docker configuration with 'auths'",
                "create it with kubectl create secret docker-registry",
            ) from error
        for name, login in found.items():
            if login is not None:
                merged.setdefault(name, login)
    return merged


def _registry(name: str) -> str:
    name = name.removeprefix("https://").removeprefix("http://").rstrip("/")
    return name.removesuffix("/v1").removesuffix("/v2")


def _login(entry: Mapping[str, str]) -> tuple[str, str] | None:
    if entry.get("username") and entry.get("password"):
        return entry["username"], entry["password"]
    if not entry.get("auth"):
        return None
    user, separator, password = base64.b64decode(entry["auth"], validate=True).decode().partition(":")
    if not separator:
        raise ValueError("auth without colon")
    return user, password
