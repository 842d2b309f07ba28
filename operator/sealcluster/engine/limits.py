"""How much at once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sealcluster.core.plan import Action


@dataclass(frozen=True, slots=True)
class Limits:
    """Budgets of one cluster."""

    hosts: int = 50
    """Machines that are looked at or worked on at the same time."""
    uploads: int = 4
    """Machines that receive bytes from us at the same time."""


class Budgets:
    """Semaphores for the two kinds of work."""

    def __init__(self, limits: Limits) -> None:
        self.light = asyncio.Semaphore(limits.hosts)
        self.upload = asyncio.Semaphore(limits.uploads)
        self.look = asyncio.Semaphore(limits.hosts)

    def of(self, action: Action) -> asyncio.Semaphore:
        """The budget that an action draws on."""
        return self.upload if action.weight == "upload" else self.light
