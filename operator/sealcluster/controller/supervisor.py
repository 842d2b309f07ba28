"""All SealClusters of this process: each object has a task of its own, and all share what counts the process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from sealcluster.controller.durations import Histogram, PhaseDurations
from sealcluster.controller.objectsupervisor import Body, ObjectSupervisor
from sealcluster.controller.supervisor_port import Adapters
from sealcluster.engine import Report
from sealcluster.engine.pace import Pace
from sealcluster.kube.client import KubeClient


class Supervisor:
    """All objects of this process. `object_seen` and `object_gone` may be called as often as events arrive."""

    def __init__(self, client: KubeClient, adapters: Adapters, instance: str) -> None:
        self._client = client
        self._adapters = adapters
        self._instance = instance
        self._durations = PhaseDurations()
        self._pace = Pace()
        self._objects: dict[tuple[str, str], ObjectSupervisor] = {}

    def object_seen(self, body: Body) -> None:
        """A SealCluster as the API server has it now."""
        meta = body["metadata"]
        key = (meta["namespace"], meta["name"])
        known = self._objects.get(key)
        if known is not None and (known.uid != meta["uid"] or known.done):
            known.stop()
            known = None
        if known is None:
            known = ObjectSupervisor(self._client, self._adapters, self._instance, body, self._durations, self._pace)
            self._objects[key] = known
        known.offer(body)

    def object_gone(self, namespace: str, name: str) -> None:
        """It was deleted and nothing holds it any more."""
        known = self._objects.pop((namespace, name), None)
        if known is not None:
            known.stop()

    @property
    def healthy(self) -> bool:
        """False when a task of ours ended that should not have: the liveness probe restarts us."""
        return not any(o.broken for o in self._objects.values())

    def reports(self) -> list[Report]:
        """The last report of each object, for metrics."""
        return [o.report for o in self._objects.values() if o.report is not None]

    def endpoint(self, namespace: str, name: str) -> str:
        """Where the API of this one is, as its engine saw it last; empty: it saw none, or has not looked yet."""
        known = self._objects.get((namespace, name))
        return (known.report.endpoint if known is not None and known.report is not None else None) or ""

    def traffic(self) -> Mapping[str, int]:
        """What went over SSH so far, for metrics."""
        return self._adapters.traffic()

    def durations(self) -> Mapping[tuple[str, str], Histogram]:
        """How long phases took, by phase and outcome, for metrics."""
        return self._durations.found()

    async def close(self) -> None:
        """Let go of every cluster, then of all connections; what runs on machines goes on there."""
        for known in self._objects.values():
            known.stop()
        await asyncio.gather(*(o.ended() for o in self._objects.values()))
        self._objects.clear()
        await self._adapters.close()
