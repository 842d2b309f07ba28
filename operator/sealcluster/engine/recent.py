"""Secrets that were read a moment ago: a pass over 2,000 machines that share one Secret reads it once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from sealcluster.core.errors import SealError
from sealcluster.core.ports import Credentials, Management
from sealcluster.engine.steady import steady

SECONDS = 5.0

K = TypeVar("K")
V = TypeVar("V")


class RecentSecrets:
    """`Management.credentials` and `.text`, remembered for a few seconds; errors too."""

    def __init__(self, management: Management) -> None:
        self._credentials = Recent[str, Credentials](management.credentials)
        self._texts = Recent[tuple[str, str, str], str](lambda place: management.text(*place))

    async def credentials(self, reference: str) -> Credentials:
        """As the port says."""
        return await self._credentials.get(reference)

    async def text(self, kind: str, reference: str, key: str) -> str:
        """As the port says."""
        return await self._texts.get((kind, reference, key))

    def forget(self) -> None:
        """Read anew: something was changed, or a person asked."""
        self._credentials.forget()
        self._texts.forget()


class Recent(Generic[K, V]):
    """What was read less than SECONDS ago. Whoever comes while it is being read waits for that, all together and not in a queue."""

    def __init__(self, read: Callable[[K], Awaitable[V]]) -> None:
        self._read = read
        self._known: dict[K, tuple[float, V | SealError]] = {}
        self._reading: dict[K, asyncio.Event] = {}

    async def get(self, key: K) -> V:
        """The value; raises the error that reading it ended with."""
        while (known := self._known.get(key)) is None or steady() - known[0] > SECONDS:
            under_way = self._reading.get(key)
            if under_way is not None:
                await under_way.wait()  # and look again: whoever read may have been cancelled
                continue
            self._reading[key] = asyncio.Event()
            try:
                self._known[key] = (steady(), await self._outcome(key))
            finally:
                self._reading.pop(key).set()
        if isinstance(known[1], SealError):
            raise known[1]
        return known[1]

    def forget(self) -> None:
        """Read anew."""
        self._known.clear()

    async def _outcome(self, key: K) -> V | SealError:
        try:
            return await self._read(key)
        except SealError as error:
            return error
