"""Our finalizer on one object: set before anything is touched, taken away when nothing is held any more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sealcluster.api import FINALIZER
from sealcluster.kube.client import JSON_PATCH, KubeClient
from sealcluster.kube.errors import Conflict, NotFound
from sealcluster.kube.resources import SEALCLUSTERS

Body = Mapping[str, Any]


class Finalizer:
    """Of the object with this uid; one that has taken its name is left alone.

    Both methods return the newest version that they met, None when they met none.
    """

    def __init__(self, client: KubeClient, namespace: str, name: str, uid: str) -> None:
        self._client = client
        self._namespace, self._name, self._uid = namespace, name, uid

    async def hold(self, body: Body) -> Body | None:
        """Add it; an object that was replaced may have lost it."""
        finalizers = list(body["metadata"].get("finalizers") or ())
        return None if FINALIZER in finalizers else await self._set(body, [*finalizers, FINALIZER])

    async def release(self, body: Body) -> Body | None:
        """Take it away; those of others stay."""
        finalizers = list(body["metadata"].get("finalizers") or ())
        return await self._set(body, [f for f in finalizers if f != FINALIZER]) if FINALIZER in finalizers else None

    async def _set(self, body: Body, finalizers: list[str]) -> Body | None:
        patch = [
            {"op": "test", "path": "/metadata/resourceVersion", "value": body["metadata"]["resourceVersion"]},
            {"op": "add", "path": "/metadata/finalizers", "value": finalizers},
        ]
        met: Body | None = None
        for _ in range(5):
            try:
                return await self._client.patch(SEALCLUSTERS, self._name, patch, self._namespace, content_type=JSON_PATCH)
            except Conflict:
                fresh = await self._client.find(SEALCLUSTERS, self._name, self._namespace)
                if fresh is None or fresh["metadata"]["uid"] != self._uid:
                    return met
                met = fresh
                patch[0]["value"] = fresh["metadata"]["resourceVersion"]
                present = [f for f in fresh["metadata"].get("finalizers") or () if f != FINALIZER]
                if FINALIZER in finalizers and fresh["metadata"].get("deletionTimestamp"):
                    return met  # too late to hold it; the event of its deletion is on its way
                patch[1]["value"] = [*present, FINALIZER] if FINALIZER in finalizers else present
            except NotFound:
                return met
        return met
