"""Looks that nothing waits for: a machine that answers slowly, or not at all, holds up nobody but itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any

from sealcluster.engine.memory import Memory

CLUSTER = ""
"""Stands for the new cluster's API among the names of machines."""


class Looks:
    """One look at a time at each machine, and at the new cluster's API; what they see is in the memory as soon as it was seen."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def tasks(self) -> frozenset[asyncio.Task[None]]:
        """Those that are under way or ended since `take_ended`."""
        return frozenset(self._tasks.values())

    def at(self, names: Iterable[str]) -> None:
        """Begin to look at these machines; where a look is under way already, that one will do."""
        for name in names:
            self._begin(name, partial(self._memory.look_at, [name]))

    def at_cluster(self) -> None:
        """Begin to look at the new cluster's API."""
        self._begin(CLUSTER, self._memory.look_cluster)

    def _begin(self, name: str, look: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if name not in self._tasks:
            self._tasks[name] = asyncio.create_task(look(), name=f"look at {name or 'the API'} of {self._memory.desired.name}")

    def take_ended(self) -> None:
        """Forget those that ended; raises what a look could not contain (a newer operator, a state record that cannot be written)."""
        for name in [name for name, task in self._tasks.items() if task.done()]:
            self._tasks.pop(name).result()

    async def stop(self) -> None:
        """End them all."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
