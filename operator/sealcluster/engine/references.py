"""Secrets and ConfigMaps that a failing cluster may be waiting for: a changed one is noticed within seconds.

Nothing is watched while all is well, and never all Secrets of a namespace: only those that the spec names, by their versions.
(Credentials of machines have a way of their own: a machine that refuses them is looked at again every few seconds.)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from sealcluster.api import SealClusterSpec
from sealcluster.core.errors import SealError
from sealcluster.core.ports import Clock, Management

SECONDS = 5.0
"""Between two looks at the versions."""

log = logging.getLogger("sealcluster.engine")


class References:
    """Knows the versions that the last try was made with."""

    def __init__(self, management: Management, clock: Clock) -> None:
        self._management = management
        self._clock = clock
        self._known: dict[tuple[str, str], str] = {}

    async def used(self, spec: SealClusterSpec) -> None:
        """The pull Secrets are about to be read: from now on every other version is news."""
        for kind, name in _pulling(spec):
            self._known[kind, name] = await self._management.stamp(kind, name)

    async def watch(self, waits: Callable[[], SealClusterSpec | None], wake: Callable[[], None]) -> None:
        """For ever. `waits`: the spec, while something has failed; `wake` is called when an object that it names has changed."""
        while True:
            await self._clock.sleep(SECONDS)
            spec = waits()
            try:
                if spec is not None and await self._changed(spec):
                    log.info("a Secret or ConfigMap that the spec names has changed; trying again")
                    wake()
            except SealError as error:
                log.debug("looking at versions of Secrets: %s", error)  # the management plane is down: the next look will tell

    async def _changed(self, spec: SealClusterSpec) -> bool:
        names = (*_pulling(spec), *_texts(spec))
        found = dict(zip(names, await asyncio.gather(*(self._management.stamp(*name) for name in names)), strict=True))
        changed = any(self._known.get(name) != stamp for name, stamp in found.items())  # never seen: it may have changed since it was read
        self._known = found
        return changed


def _pulling(spec: SealClusterSpec) -> tuple[tuple[str, str], ...]:
    return tuple(("Secret", str(reference.name)) for reference in spec.pull_secret_refs)


def _texts(spec: SealClusterSpec) -> tuple[tuple[str, str], ...]:
    return tuple(dict.fromkeys(config.data_from.place[:2] for config in spec.configs if config.data_from is not None))
