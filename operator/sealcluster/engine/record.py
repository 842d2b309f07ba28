"""The state record as this operator holds it: taken over under a new number, changed by compare-and-swap, lost to whoever takes it next."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

from sealcluster.core.errors import Fenced, SealError, StateConflict, TransientError
from sealcluster.core.ports import Management
from sealcluster.core.state import StateRecord


@dataclass(eq=False)
class _Wish:
    """A change of the state record that somebody waits for."""

    change: Callable[[StateRecord], StateRecord]
    error: SealError | None = None
    written: bool = False
    """True once it is in the record, or can never be."""

    def on(self, record: StateRecord) -> StateRecord:
        """The record with this change; one that cannot be made is its own caller's concern."""
        self.error = None
        try:
            return self.change(record)
        except SealError as error:
            self.error = error
            return record


class Record:
    """Reads and writes the record of one cluster. `holder`: who we are in it."""

    def __init__(self, management: Management, holder: str) -> None:
        self._management = management
        self._holder = holder
        self._version = ""
        self._state: StateRecord | None = None
        self._lock = asyncio.Lock()
        self._freed = asyncio.Event()
        """Set, and replaced by a new one, each time the lock is let go."""
        self._wishes: list[_Wish] = []
        self._looking = False

    @property
    def state(self) -> StateRecord:
        """The record under our fence."""
        assert self._state is not None
        return self._state

    async def take_over(self, new_id: Callable[[], str]) -> StateRecord:
        """Raise the fencing number; from here on an older operator's writes fail, on hosts too."""
        async with self._alone():
            record, version = await self._management.load_state()
            if record is None:
                record = StateRecord(cluster_id=new_id())
            mine = _held(record, record.fence + 1, self._holder)
            self._version = await self._management.save_state(mine, version)
            self._state = mine
            return mine

    async def peek(self) -> StateRecord:
        """Read the record without taking the cluster over: for plans. Nothing can be changed afterwards."""
        async with self._alone():
            record, _ = await self._management.load_state()
            self._state = record or StateRecord(cluster_id="")
            self._looking = True
            return self._state

    @property
    def looking(self) -> bool:
        """True when this is only a look (`peek`): nothing may be recorded."""
        return self._looking

    async def update(self, change: Callable[[StateRecord], StateRecord]) -> StateRecord:
        """Compare-and-swap. After a conflict the record is read again: the change is applied to it if it is still ours, else Fenced.

        What others want changed while a write is under way goes into the next one, all together: thousands of machines that are
        claimed at the same time must not write a record of thousands of rows thousands of times. And all that were in one write go on
        together: one after another they would each be followed by a turn of the engine.
        """
        mine = _Wish(change)
        self._wishes.append(mine)
        try:
            while not mine.written:
                if self._lock.locked():
                    await self._freed.wait()
                    continue
                async with self._alone():
                    if not mine.written:
                        await self._write()
        finally:
            if not mine.written and mine in self._wishes:  # cancelled before its turn came
                self._wishes.remove(mine)
        if mine.error is not None:
            raise mine.error
        return self.state

    @contextlib.asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        async with self._lock:
            try:
                yield
            finally:
                freed, self._freed = self._freed, asyncio.Event()
                freed.set()

    async def _write(self) -> None:
        """Everything that is wished for now, in one write."""
        batch, self._wishes = self._wishes, []
        try:
            for _ in range(5):
                new = self.state
                for wish in batch:
                    new = wish.on(new)
                if new != self.state:
                    try:
                        self._version = await self._management.save_state(new, self._version)
                    except StateConflict:
                        await self._reload()
                        continue
                self._state = new
                break
            else:
                raise StateConflict("writing the state record: it changes faster than we can write it")
        except SealError as error:
            for wish in batch:
                wish.error = error
        except BaseException:
            self._wishes = [*batch, *self._wishes]  # only the one who wrote goes away; the others write it themselves
            raise
        for wish in batch:
            wish.written = True

    async def _reload(self) -> None:
        record, version = await self._management.load_state()
        if record is None:
            raise TransientError("reading the state record: it is gone; restore the Secret from a backup", reason="StateConflict")
        if record.fence != self.state.fence or record.holder != self._holder:
            raise Fenced(f"another operator ({record.holder}) took this cluster over with fencing number {record.fence}")
        self._state, self._version = record, version

    async def raise_fence(self, above: int) -> None:
        """After a restore or a pivot hosts may know a higher number than the record: continue above it."""
        if self._looking:
            return
        holder = self._holder
        await self.update(lambda s: _held(s, max(s.fence, above) + 1, holder))


def _held(record: StateRecord, fence: int, holder: str) -> StateRecord:
    return replace(record, fence=fence, holder=holder)
