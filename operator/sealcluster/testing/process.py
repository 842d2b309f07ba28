"""One process of the operator in the model: the real supervisor on the fake API server, with a watch that can lag, break and expire."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from sealcluster.controller.router import EventRouter
from sealcluster.controller.supervisor import Supervisor
from sealcluster.core.errors import SealError
from sealcluster.core.ports import Management
from sealcluster.engine.ports import Ports
from sealcluster.kube.client import KubeClient
from sealcluster.kube.errors import Answer
from sealcluster.kube.resources import SEALCLUSTERS
from sealcluster.testing.clock import OWNER, VirtualClock
from sealcluster.testing.effects import CountedHosts, CountedWorkloads, Effects
from sealcluster.testing.kubemodel.refusal import Refusal
from sealcluster.testing.model.host import ModelHosts

if TYPE_CHECKING:
    from sealcluster.testing.plane import Plane

RELIST = 1.0
"""Seconds after which a watch that ended begins anew."""


class CountedTransport:
    """`Transport` whose writes are effects."""

    def __init__(self, plane: Plane, effects: Effects) -> None:
        self._plane = plane
        self._effects = effects
        self.server = plane.kube.server

    async def request(self, method: str, url: str, *, doing: str, **how: Any) -> Answer:
        """One request."""
        call = lambda: self._plane.kube.request(method, url, doing=doing, **how)  # noqa: E731 - made once for two uses
        if method == "GET":
            return await self._effects.look(call)
        return await self._effects.change(f"API: {doing}", call)


@dataclass
class ModelAdapters:
    """What `compose.Adapters` is to a real process."""

    plane: Plane
    effects: Effects
    clock: VirtualClock
    chance: random.Random
    closed: bool = False

    def ports(self, management: Management) -> Ports:
        """The ports of one cluster; writes to its records are counted where they reach the API server."""
        plane, chance = self.plane, self.chance
        return Ports(
            hosts=CountedHosts(ModelHosts(plane.world, self.clock), self.effects),
            images=plane.images,
            certs=plane.certs,
            management=management,
            workloads=CountedWorkloads(plane.workloads, self.effects),
            clock=self.clock,
            random=chance.random,
            token=lambda: f"{chance.getrandbits(24):06x}.{chance.getrandbits(64):016x}",
            new_id=lambda: f"{chance.getrandbits(64):016x}",
        )

    def traffic(self) -> Mapping[str, int]:
        """Nothing goes over SSH here."""
        return {"connections": 0, "commands": 0}

    async def close(self) -> None:
        """Remember it."""
        self.closed = True


class Process:
    """One life of an operator. Faults of its watch: `lag` in seconds, `broken` while set (it hangs, then begins anew)."""

    def __init__(self, plane: Plane, name: str, crash_at: int = 0, side: str = "before") -> None:
        self.name = name
        self.effects = Effects(crash_at, side)
        self.clock = VirtualClock()
        self.lag = 0.0
        self.died = asyncio.Event()
        self.effects.on_death = self.died.set
        self.delivered = 0
        """Events that reached the supervisor."""
        self._plane = plane
        self._broken, self._mended = asyncio.Event(), asyncio.Event()
        self._mended.set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.adapters = ModelAdapters(plane, self.effects, self.clock, random.Random(f"{plane.seed}/{name}"))
        self.client = KubeClient(cast(Any, CountedTransport(plane, self.effects)))
        self.supervisor = Supervisor(self.client, self.adapters, name)
        self._router = EventRouter(self.supervisor)
        context = contextvars.copy_context()
        context.run(OWNER.set, self._tasks)
        self._task = asyncio.get_running_loop().create_task(self._run(), name=name, context=context)

    async def kill(self) -> None:
        """The process ends at once."""
        self.effects.dead = True
        mine = [t for t in (*self._tasks, self._task) if t is not asyncio.current_task()]
        for task in mine:
            task.cancel()
        await asyncio.gather(*mine, return_exceptions=True)

    async def stop(self) -> None:
        """It is told to end and lets go, as on SIGTERM."""
        self._task.cancel()
        await asyncio.wait({self._task})
        await self.supervisor.close()
        await self.kill()

    def break_watch(self) -> None:
        """The connection hangs: nothing arrives any more until `mend_watch`."""
        self._broken.set()
        self._mended.clear()

    def mend_watch(self) -> None:
        """It is noticed: list and watch again."""
        self._broken.clear()
        self._mended.set()

    # --- the watch ---------------------------------------------------------------------------------------------
    async def _run(self) -> None:
        while True:
            with contextlib.suppress(SealError, Refusal):
                stream = asyncio.create_task(self._list_and_watch())
                cut = asyncio.create_task(self._broken.wait())
                try:
                    await asyncio.wait({stream, cut}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    stream.cancel()
                    cut.cancel()
                if stream.done() and not stream.cancelled():
                    stream.result()
            await self._mended.wait()
            await asyncio.sleep(RELIST)

    async def _list_and_watch(self) -> None:
        listed = json.loads(await self.client.raw(SEALCLUSTERS.path(None, None, None)))
        for item in listed["items"]:
            self._deliver(None, item)
        async for event, body in self._plane.kube.watch(SEALCLUSTERS.plural, since=int(listed["metadata"]["resourceVersion"])):
            await self.effects.running.wait()
            await asyncio.sleep(self.lag)
            self._deliver(event, body)

    def _deliver(self, event: str | None, body: dict[str, Any]) -> None:
        self.effects.alive()
        self.delivered += 1
        self._router.deliver(event, body)
