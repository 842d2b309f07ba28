"""Wishes for tests, short to write."""

from __future__ import annotations

from typing import Any

from sealcluster.api import SealClusterSpec
from sealcluster.testing.model.images import CNI, ROOTFS


def address(number: int) -> str:
    """The address of the machine with this number (from 1)."""
    return f"10.0.{number // 240}.{number % 240 + 10}"


def host(name: str, number: int, *roles: str, **more: Any) -> dict[str, Any]:
    """One row of spec.hosts."""
    return {"name": name, "address": address(number), "roles": list(roles), **more}


def hosts(masters: int, workers: int) -> list[dict[str, Any]]:
    """m1 … and w1 …, numbered through."""
    rows = [host(f"m{i + 1}", i + 1, "master") for i in range(masters)]
    return rows + [host(f"w{i + 1}", masters + i + 1, "node") for i in range(workers)]


def spec(masters: int = 1, workers: int = 0, **more: Any) -> SealClusterSpec:
    """A whole spec: rootfs and network application, root by password, keys trusted on first use."""
    document: dict[str, Any] = {
        "images": [{"name": "kubernetes", "ref": ROOTFS}, {"name": "cni", "ref": CNI}],
        "hosts": hosts(masters, workers),
        "ssh": {"user": "root", "credentialsSecretRef": {"name": "ssh"}, "hostKeys": {"policy": "TrustOnFirstUse"}},
    }
    return SealClusterSpec.model_validate(document | more)
