"""Work that many ask for at the same time and that serves them all: a look at 2,000 Nodes after each of 2,000 joins would be 4,000,000."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

PATIENCE = 2.0
"""Seconds for which a caller waits for a run that began too early for it; one that takes longer (something does not answer) is not waited for."""


class Together:
    """A call returns when a run that began after it has ended. Callers that come while one is under way share the next one."""

    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        self._work = work
        self._begun = 0
        self._ended = 0
        """The newest run that ended well."""
        self._running: asyncio.Event | None = None
        """Set when the newest run has ended, however it did."""

    async def __call__(self) -> None:
        """Raises what the run that this caller carried out raised; whoever waited for that one carries out another."""
        wanted = self._begun + 1
        while self._ended < wanted:
            newest = self._running
            if newest is None:
                await self._run()
            elif self._begun >= wanted:
                await newest.wait()
            elif not await self._ends(newest):
                await self._run()

    async def _run(self) -> None:
        self._begun += 1
        mine = self._begun
        self._running = ended = asyncio.Event()
        try:
            await self._work()
            self._ended = max(self._ended, mine)
        finally:
            if self._running is ended:
                self._running = None
            ended.set()

    async def _ends(self, running: asyncio.Event) -> bool:
        """True when it ended in time, or when another caller has begun a newer one meanwhile."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await running.wait()
        return self._running is not running
