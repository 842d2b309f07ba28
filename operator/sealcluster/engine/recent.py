"""Secrets that were read a moment ago: a pass over 2,000 machines that share one Secret reads it once."""

from __future__ import annotations

import asyncio

from sealcluster.core.errors import SealError
from sealcluster.core.ports import Credentials, Management
from sealcluster.engine.steady import steady

SECONDS = 5.0


class RecentSecrets:
    """`Management.credentials` and `.text`, remembered for a few seconds; errors too."""

    def __init__(self, management: Management) -> None:
        self._management = management
        self._credentials: dict[str, tuple[float, Credentials | SealError]] = {}
        self._texts: dict[tuple[str, str, str], tuple[float, str | SealError]] = {}
        self._lock = asyncio.Lock()

    async def credentials(self, reference: str) -> Credentials:
        """As the port says."""
        async with self._lock:
            known = self._credentials.get(reference)
            if known is None or steady() - known[0] > SECONDS:
                try:
                    value: Credentials | SealError = await self._management.credentials(reference)
                except SealError as error:
                    value = error
                known = self._credentials[reference] = (steady(), value)
        if isinstance(known[1], SealError):
            raise known[1]
        return known[1]

    async def text(self, kind: str, reference: str, key: str) -> str:
        """As the port says."""
        async with self._lock:
            known = self._texts.get((kind, reference, key))
            if known is None or steady() - known[0] > SECONDS:
                try:
                    value: str | SealError = await self._management.text(kind, reference, key)
                except SealError as error:
                    value = error
                known = self._texts[kind, reference, key] = (steady(), value)
        if isinstance(known[1], SealError):
            raise known[1]
        return known[1]

    def forget(self) -> None:
        """Read anew: something was changed, or a person asked."""
        self._credentials.clear()
        self._texts.clear()
