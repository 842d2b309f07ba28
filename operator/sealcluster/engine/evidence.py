"""Keeps the evidence of failed steps where people find it; not a part of any decision, and never in the way of the work."""

from __future__ import annotations

import asyncio
import logging

from sealcluster.core.errors import SealError
from sealcluster.core.evidence import Evidence, remember
from sealcluster.core.plan import Failure
from sealcluster.core.ports import Clock, Management

PAUSE = 5.0
"""Seconds between two writes."""
AGAIN = 30.0
"""Seconds after a write that failed."""
LAST_WORDS = 3.0
"""Seconds that the write at the end may take."""

log = logging.getLogger("sealcluster.engine")


class EvidenceKeeper:
    """Collects what failed, and writes it soon after."""

    def __init__(self, management: Management, clock: Clock) -> None:
        self._management = management
        self._clock = clock
        self._new: list[Evidence] = []
        self._wake = asyncio.Event()

    def add(self, failure: Failure) -> None:
        """A step failed (again)."""
        problem = failure.problem
        found = Evidence(
            phase=problem.phase,
            step=failure.step,
            reason=problem.reason,
            message=problem.message,
            time=failure.time,
            host=problem.host,
            hint=problem.hint,
            count=failure.count,
            exit_code=failure.exit_code,
            output=failure.output,
            unit=failure.unit,
            unit_log=failure.unit_log,
        )
        self._new = list(remember(self._new, found))
        self._wake.set()

    async def keep(self) -> None:
        """Write what is new, for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._write()
            except SealError as error:
                log.warning("keeping the evidence of a failure: %s; it is tried again in %g s", error, AGAIN)
                self._wake.set()
                await self._clock.sleep(AGAIN)
            else:
                await self._clock.sleep(PAUSE)

    async def last_words(self) -> None:
        """Write what is still waiting, if that is quick."""
        try:
            async with asyncio.timeout(LAST_WORDS):
                await self._write()
        except (SealError, TimeoutError) as error:
            log.warning("keeping the evidence of a failure: %s", error or "it took too long")

    async def _write(self) -> None:
        writing, self._new = self._new, []
        if not writing:
            return
        try:
            entries = await self._management.load_evidence()
            for entry in writing:
                entries = remember(entries, entry)
            await self._management.save_evidence(entries)
        except BaseException:
            self._new = [*writing, *self._new]
            raise
