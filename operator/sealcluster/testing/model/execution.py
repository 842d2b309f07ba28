"""One op being carried out on one machine: its time, its log, its failures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from sealcluster.core.ops import Job
from sealcluster.testing.model.machine import Machine
from sealcluster.testing.model.world import ModelWorld


class Failed(Exception):
    """The op's script ends with this exit code; the message is the last line of its log."""

    def __init__(self, rc: int, message: str) -> None:
        super().__init__(message)
        self.rc = rc


@dataclass
class Execution:
    """What an op's implementation works with."""

    world: ModelWorld
    machine: Machine
    job: Job
    log: list[str] = field(default_factory=list)
    output: str = ""

    @property
    def kind(self) -> str:
        """Class name of the op."""
        return type(self.job.op).__name__

    @property
    def now(self) -> float:
        """The right time."""
        return self.world.now()

    @property
    def owner(self) -> str:
        """Cluster id of the machine's owner file; empty: nobody's."""
        return self.machine.owner.cluster_id if self.machine.owner else ""

    async def spend(self, share: float, kind: str = "") -> None:
        """Let the share of this op's duration pass."""
        seconds = self.world.timing.sample(kind or self.kind, self.machine.name)
        await asyncio.sleep(seconds * share * self.machine.slow)

    async def until(self, limit: float, what: str, holds: Callable[[], bool]) -> None:
        """Wait for `holds()`; fails the op with rc 1 after `limit` seconds."""
        deadline = self.now + limit
        while not holds():
            if self.now >= deadline:
                raise Failed(1, f"{what}: timed out after {limit:.0f}s")
            await asyncio.sleep(1.0)
