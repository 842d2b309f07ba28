"""What the event source and the servers need of whoever looks after the objects."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from sealcluster.controller.durations import Histogram
from sealcluster.core.ports import Clock, Management
from sealcluster.engine import Ports, Report
from sealcluster.kube.client import KubeClient


class SupervisorPort(Protocol):
    """Looks after all SealClusters of this process. Everything is called in the process' main event loop."""

    def object_seen(self, body: Mapping[str, Any]) -> None:
        """A SealCluster as the API server has it now; also after a restart, with a deletionTimestamp, and again unchanged."""
        ...

    def object_gone(self, namespace: str, name: str) -> None:
        """It was deleted and nothing holds it any more."""
        ...

    @property
    def healthy(self) -> bool:
        """False when something ended that must not: the liveness probe fails and the process is restarted."""
        ...

    def reports(self) -> Sequence[Report]:
        """The last report of each object, for metrics."""
        ...

    def traffic(self) -> Mapping[str, int]:
        """What went over SSH so far, by kind (connections, commands), for metrics."""
        ...

    def durations(self) -> Mapping[tuple[str, str], Histogram]:
        """How long phases took since the process started, by phase and outcome, for metrics."""
        ...

    async def close(self) -> None:
        """Let go of every object; what runs on machines goes on there."""
        ...


class Adapters(Protocol):
    """What all clusters of this process share (`compose.Adapters`)."""

    @property
    def clock(self) -> Clock:
        """Time."""
        ...

    def ports(self, management: Management) -> Ports:
        """The ports of one cluster."""
        ...

    def traffic(self) -> Mapping[str, int]:
        """What went over SSH so far, by kind."""
        ...

    async def close(self) -> None:
        """Close connections and sessions."""
        ...


SupervisorFactory = Callable[[KubeClient], Awaitable[SupervisorPort]]
"""Makes the supervisor once the API server serves our kind; runs in the main event loop."""
