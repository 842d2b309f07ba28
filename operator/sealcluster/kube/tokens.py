"""Bootstrap tokens as the Secrets that kubeadm and the API server read. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sealcluster.kube.secretdata import decode, encode

NAMESPACE = "kube-system"
GROUP = "system:bootstrappers:kubeadm:default-node-token"
_TOKEN = re.compile(r"([a-z0-9]{6})\.([a-z0-9]{16})")


def token_secret(token: str, expires: float) -> dict[str, Any]:
    """The Secret that makes `token` valid until `expires` (seconds since the epoch). ValueError when it is no token (it is not quoted)."""
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise ValueError("a bootstrap token must look like abcdef.0123456789abcdef")
    identity, secret = match.groups()
    data = {
        "token-id": identity,
        "token-secret": secret,
        "expiration": datetime.fromtimestamp(expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "usage-bootstrap-authentication": "true",
        "usage-bootstrap-signing": "true",
        "auth-extra-groups": GROUP,
        "description": "joins hosts that sealcluster manages",
    }
    return {
        "metadata": {"name": f"bootstrap-token-{identity}", "namespace": NAMESPACE},
        "type": "bootstrap.kubernetes.io/token",
        "data": encode(data),
    }


def lasts_until(found: Mapping[str, Any], wanted: Mapping[str, Any], moment: float) -> bool:
    """True when this Secret is the wanted one in all but its expiration, and that is not before `moment`."""
    have = decode(found)
    try:
        expiration = datetime.fromisoformat(have.pop("expiration", b"").decode()).timestamp()
    except ValueError:
        return False
    return expiration >= moment and all(have.get(key) == value for key, value in decode(wanted).items() if key != "expiration")
