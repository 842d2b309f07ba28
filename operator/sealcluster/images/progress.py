"""Turns bytes into short lines for a person, not more than one a second."""

from __future__ import annotations

import asyncio
import threading
import time

from sealcluster.core.ports import Progress

_INTERVAL = 1.0


class Meter:
    """Progress of one image; may be used from any thread, calls `progress` in the loop's."""

    def __init__(self, progress: Progress | None, name: str, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._progress = progress
        self._name = name
        self._total = 0
        self._done = 0
        self._last = 0.0
        self._mutex = threading.Lock()

    def expect(self, total: int) -> None:
        """So many bytes will be pulled."""
        self._total = total

    def add(self, count: int) -> None:
        """So many bytes arrived."""
        self._done += count
        self.say(f"{self._done >> 20} of {self._total >> 20} MiB")

    def say(self, text: str) -> None:
        """Pass a line on, unless another went out just now."""
        with self._mutex:
            now = time.monotonic()
            if self._progress is None or now - self._last < _INTERVAL:
                return
            self._last = now
        self._loop.call_soon_threadsafe(self._progress, f"{self._name}: {text}")
