"""Writes the status of one SealCluster: whole, by server-side apply, by one writer, seldom, and never twice the same."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sealcluster.core.errors import SealError
from sealcluster.core.ports import Clock
from sealcluster.kube.client import KubeClient, Object
from sealcluster.kube.errors import Conflict, NotFound
from sealcluster.kube.resources import SEALCLUSTERS

MIN_INTERVAL = 5.0
"""Seconds between two writes that change nothing but texts and counters."""
RETRY_AFTER = 10.0
"""Seconds until a failed write is tried again, with whatever is the newest status then."""
CONFLICTS = 4
"""How often one write is repeated because somebody else wrote the object."""

log = logging.getLogger(__name__)


class StatusWriter:
    """`offer` takes a status at any time and returns at once; the newest one is written when it may be.

    At once when a condition changed (type, status, reason), or the generation, phase, or step it shows; else not before
    `MIN_INTERVAL` seconds after the last write. Must run inside `async with`; leaving writes what is still waiting, once.
    After the object was deleted, or another one took its name, `gone` is True and nothing is written any more.
    `current` is the status that the object has; it is not written again. `ours` is asked before a status that somebody else wrote is
    written over: False when it was an operator that has taken over from us.
    """

    def __init__(
        self,
        client: KubeClient,
        clock: Clock,
        namespace: str,
        name: str,
        uid: str,
        current: Mapping[str, Any] | None = None,
        ours: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        self._client = client
        self._clock = clock
        self._namespace = namespace
        self._name = name
        self._uid = uid
        self._ours = ours
        self._version: str | None = None
        self._written: Mapping[str, Any] = current or {}
        self._waiting: Mapping[str, Any] | None = None
        self._last_write = float("-inf")
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self.gone = False

    async def __aenter__(self) -> StatusWriter:
        self._task = asyncio.create_task(self._run(), name=f"status of {self._namespace}/{self._name}")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait({self._task})
        if not self._task.cancelled():
            self._task.result()
        await self.flush()

    def offer(self, status: Mapping[str, Any]) -> None:
        """Write this, unless a newer one is offered before it may be written."""
        if self._task is not None and self._task.done() and not self.gone:
            self._task.result()  # a bug ended the writer: say so here rather than never
        self._waiting = status
        self._wake.set()

    def seen(self, body: Mapping[str, Any]) -> None:
        """The object as it came from a watch: a status that somebody else wrote after us is not the one that we wrote, whatever we remember."""
        try:
            newer = self._version is not None and int(body["metadata"]["resourceVersion"]) > int(self._version)
        except ValueError:
            return  # a server whose versions have no order: nothing can be concluded
        if newer and (body.get("status") or {}) != self._written:
            self._written = dict(body.get("status") or {})

    async def flush(self) -> bool:
        """Write what is waiting now; True when the API server has the newest status (or the object is gone)."""
        async with self._writing:
            status = self._waiting
            if status is not None and not self.gone and status != self._written:
                try:
                    await self._write(status)
                except SealError as error:
                    log.warning("%s; it is tried again in %g s", error, RETRY_AFTER)
                    return False
                self._written = status
                self._last_write = self._clock.now()
            if self._waiting is status:
                self._waiting = None
            return True

    async def _run(self) -> None:
        while not self.gone:
            await self._wake.wait()
            self._wake.clear()
            await self._until_allowed()
            if not await self.flush():
                await self._clock.sleep(RETRY_AFTER)
                self._wake.set()

    async def _until_allowed(self) -> None:
        """Wait out the interval, or until something that cannot wait is offered."""
        while self._waiting is not None and outline(self._waiting) == outline(self._written):
            rest = min(MIN_INTERVAL, self._last_write + MIN_INTERVAL - self._clock.now())  # a clock set back must not silence us
            if rest <= 0:
                return
            pause = asyncio.ensure_future(self._clock.sleep(rest))
            offered = asyncio.ensure_future(self._wake.wait())
            try:
                await asyncio.wait({pause, offered}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                pause.cancel()
                offered.cancel()
            self._wake.clear()

    async def _write(self, status: Mapping[str, Any]) -> None:
        """Apply to the version that we know, so that a status never lands on a new object of the same name (a UID in the body of an
        apply to a subresource is ignored). Other writers of the object make that version stale: then it is looked up."""
        for attempt in range(1, CONFLICTS + 1):
            if self._version is None:
                current = await self._client.find(SEALCLUSTERS, self._name, self._namespace)
                if current is None or current["metadata"]["uid"] != self._uid:
                    self.gone = True
                    return
                if self._ours is not None and (current.get("status") or {}) != self._written and not await self._ours():
                    return
                self._version = current["metadata"]["resourceVersion"]
            metadata = {"name": self._name, "namespace": self._namespace, "resourceVersion": self._version}
            body: Object = {"metadata": metadata, "status": dict(status)}
            try:
                written = await self._client.apply(SEALCLUSTERS, body, self._namespace, subresource="status")
            except (NotFound, Conflict):
                self._version = None
                if attempt == CONFLICTS:
                    raise
            else:
                self._version = written["metadata"]["resourceVersion"]
                return


def outline(status: Mapping[str, Any]) -> tuple[Any, ...]:
    """What of a status cannot wait: conditions without their texts, generation, phase, and the step that is shown."""
    conditions = [(c.get("type"), c.get("status"), c.get("reason"), c.get("observedGeneration")) for c in status.get("conditions") or ()]
    progress = status.get("progress") or {}
    return conditions, status.get("observedGeneration"), status.get("phase"), progress.get("phase"), progress.get("done")
