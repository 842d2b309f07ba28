"""Connection pools to the clusters that we build, one per cluster, closed when nobody used them for a while."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field

from sealcluster.core.ports import PKI, Clock, Endpoint
from sealcluster.kube.transport import Transport
from sealcluster.kube.workload import KubeWorkload

IDLE_SECONDS = 300.0
LIFETIME_SECONDS = 86400.0
"""After this a pool is made anew even in constant use: its client certificate is short-lived."""
LAST_REQUESTS_SECONDS = 300.0
"""A pool that was replaced stays open for so long: somebody may be between two requests of one piece of work."""
KubeconfigFor = Callable[[str, Endpoint, str, PKI], str]
"""(cluster, endpoint, domain, pki) -> admin kubeconfig; may take a while (it makes a key), so it runs in a thread."""


@dataclass(slots=True)
class _Pool:
    transport: Transport | None = None
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    opened: float = 0.0
    idle: asyncio.TimerHandle | None = None


class KubeWorkloads:
    """Opens the APIs of new clusters (`core.ports.Workloads`). One client certificate serves all masters of a cluster. Must be closed."""

    def __init__(self, kubeconfig_for: KubeconfigFor, clock: Clock, idle: float = IDLE_SECONDS) -> None:
        self._kubeconfig_for = kubeconfig_for
        self._clock = clock
        self._idle = idle
        self._pools: dict[tuple[str, str, str], _Pool] = {}
        self._retired: dict[Transport, asyncio.TimerHandle] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def open(self, cluster: str, endpoints: Sequence[Endpoint], domain: str, pki: PKI) -> KubeWorkload:
        """A handle (pooled by cluster, domain and CA); connects lazily."""
        key = (cluster, domain, hashlib.sha256(pki.ca[0].encode()).hexdigest())

        async def session() -> Transport:
            return await self._session(key, endpoints[0], pki)

        return KubeWorkload(session, endpoints, self._clock)

    @property
    def sessions(self) -> int:
        """How many pools are open now."""
        return sum(pool.transport is not None for pool in self._pools.values())

    async def close(self) -> None:
        """Close every pool."""
        for key in list(self._pools):
            await self._drop(key)
        for transport, timer in list(self._retired.items()):
            timer.cancel()
            self._end(transport)
        await asyncio.gather(*self._closing)

    async def _session(self, key: tuple[str, str, str], endpoint: Endpoint, pki: PKI) -> Transport:
        cluster, domain, _ = key
        pool = self._pools.setdefault(key, _Pool())
        async with pool.opening:
            if pool.transport is not None and self._clock.now() - pool.opened > LIFETIME_SECONDS:
                old, pool.transport = pool.transport, None
                self._retired[old] = asyncio.get_running_loop().call_later(LAST_REQUESTS_SECONDS, self._end, old)
            if pool.transport is None:
                text = await asyncio.to_thread(self._kubeconfig_for, cluster, endpoint, domain, pki)
                pool.transport, pool.opened = await Transport.from_text(text), self._clock.now()
            transport = pool.transport
        if pool.idle is not None:
            pool.idle.cancel()
        pool.idle = asyncio.get_running_loop().call_later(self._idle, self._expire, key)
        return transport

    def _expire(self, key: tuple[str, str, str]) -> None:
        self._beside(self._drop(key))

    def _end(self, transport: Transport) -> None:
        del self._retired[transport]
        self._beside(transport.close())

    def _beside(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _drop(self, key: tuple[str, str, str]) -> None:
        pool = self._pools.pop(key, None)
        if pool is None:
            return
        if pool.idle is not None:
            pool.idle.cancel()
        if pool.transport is not None:
            await pool.transport.close()
