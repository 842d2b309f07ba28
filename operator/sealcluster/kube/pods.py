"""Emptying a node, one round at a time, through the Eviction API."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from sealcluster.kube.client import KubeClient
from sealcluster.kube.errors import Unavailable
from sealcluster.kube.resources import PODS

MIRROR = "kubernetes.io/config.mirror"
AT_ONCE = 8
"""Evictions under way at the same time."""


def must_leave(pod: Mapping[str, Any]) -> bool:
    """False for pods that a drain leaves: a DaemonSet's, the kubelet's own (mirror pods), and finished ones."""
    metadata = pod["metadata"]
    if MIRROR in (metadata.get("annotations") or {}) or (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}:
        return False
    return not any(owner.get("controller") and owner.get("kind") == "DaemonSet" for owner in metadata.get("ownerReferences") or ())


def forbidden(pod: Mapping[str, Any], *, force: bool, empty_dir: bool) -> str:
    """Why this pod must not be evicted without being asked for; empty: it may."""
    metadata = pod["metadata"]
    name = f"pod {metadata['namespace']}/{metadata['name']}"
    if not force and not any(owner.get("controller") for owner in metadata.get("ownerReferences") or ()):
        return f"{name}: no controller would bring it back; delete it, or set spec.rollout.drain.force"
    volumes = (pod.get("spec") or {}).get("volumes") or ()
    if not empty_dir and any("emptyDir" in volume for volume in volumes):
        return f"{name}: its emptyDir volume would be lost; delete it, or set spec.rollout.drain.deleteEmptyDirData"
    return ""


async def evict_round(client: KubeClient, node: str, *, force: bool = False, empty_dir: bool = True) -> tuple[int, str]:
    """Ask every pod that must leave to go. Returns how many are still there, the terminating ones included, and what keeps the first."""
    pods = [pod async for pod in client.pages(PODS, fields=f"spec.nodeName={node}") if must_leave(pod)]
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(pod: Mapping[str, Any]) -> tuple[bool, str]:
        metadata = pod["metadata"]
        if metadata.get("deletionTimestamp"):
            return True, ""
        refusal = forbidden(pod, force=force, empty_dir=empty_dir)
        if refusal:
            return True, refusal
        async with limit:
            try:
                return await client.evict(metadata["name"], metadata["namespace"]), ""
            except Unavailable as error:
                if not error.answered:
                    raise
                return True, f"pod {metadata['namespace']}/{metadata['name']}: {'; '.join(error.causes) or error.message}"

    outcomes = await asyncio.gather(*(one(pod) for pod in pods))
    return sum(there for there, _ in outcomes), next((why for _, why in outcomes if why), "")
