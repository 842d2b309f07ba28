"""Certificates and requests of the model: PEM-shaped text whose body is JSON. Nothing in it is cryptography."""

from __future__ import annotations

import base64
import hashlib
import json
import textwrap
from typing import Any

LEAVES = (
    "apiserver",
    "apiserver-kubelet-client",
    "front-proxy-client",
    "etcd/server",
    "etcd/peer",
    "etcd/healthcheck-client",
    "apiserver-etcd-client",
    "admin.conf",
    "controller-manager.conf",
    "scheduler.conf",
)
FIRST_LEAVES = ("kubelet.conf", "super-admin.conf")
"""What the master that runs `kubeadm init` needs in addition."""


def write(kind: str, **content: object) -> str:
    """PEM text of this kind (``CERTIFICATE``, ``PRIVATE KEY``, …)."""
    body = base64.b64encode(json.dumps(content, sort_keys=True).encode()).decode()
    return f"-----BEGIN {kind}-----\n" + "\n".join(textwrap.wrap(body, 64)) + f"\n-----END {kind}-----\n"


def read(pem: str) -> dict[str, Any]:
    """The JSON inside. Raises ValueError for anything else."""
    lines = [line for line in pem.strip().splitlines() if not line.startswith("-----")]
    content = json.loads(base64.b64decode("".join(lines), validate=True))
    if not isinstance(content, dict):
        raise ValueError("reading a model certificate: it is not one")
    return content


def ca_hash(pem: str) -> str:
    """What kubeadm's discovery compares."""
    return "sha256:" + hashlib.sha256(pem.encode()).hexdigest()
