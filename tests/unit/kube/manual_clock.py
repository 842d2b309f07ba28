"""Time that passes when a test says so."""

import asyncio


class ManualClock:
    def __init__(self) -> None:
        self.time = 1_000_000.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        event = asyncio.Event()
        self._sleepers.append((self.time + seconds, event))
        await event.wait()

    async def advance(self, seconds: float) -> None:
        await settle()
        self.time += seconds
        for moment, event in self._sleepers:
            if moment <= self.time:
                event.set()
        await settle()


async def settle() -> None:
    """Let every task run until it waits for something outside of the loop's ready queue."""
    for _ in range(50):
        await asyncio.sleep(0)
