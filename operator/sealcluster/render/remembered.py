"""What was made of equal inputs before: bounded by memory, the least recently used goes first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """Results of a pure function. `limit` bounds what they take, in bytes as the caller counts them; one of more than half of it is not kept."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken = 0
        self._known: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()
        self._mutex = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T], size: Callable[[T], int]) -> T:
        """The result for `key`; `make` is called when it is not known any more."""
        with self._mutex:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key][0]
        made = make()
        taken = size(made)
        with self._mutex:
            if key not in self._known and taken <= self._limit // 2:
                self._known[key] = made, taken
                self._taken += taken
                while self._taken > self._limit:
                    self._taken -= self._known.popitem(last=False)[1][1]
        return made
