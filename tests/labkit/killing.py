"""An operator that is killed and started again at random moments while something happens."""

import random
import threading
from typing import Any


class Killer:
    """`with Killer(operator, times=10, seed=1) as killer: …`; leaving it waits until all kills were made (or `enough` was called)."""

    def __init__(self, operator: Any, times: int, seed: int, shortest: float = 3.0, longest: float = 15.0) -> None:
        self._operator, self._times = operator, times
        self._chance = random.Random(seed)
        self._range = (shortest, longest)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.kills = 0

    def _run(self) -> None:
        for _ in range(self._times):
            if self._stop.wait(self._chance.uniform(*self._range)):
                return
            self._operator.kill()
            self.kills += 1
            self._operator.start()

    def enough(self) -> None:
        """No more kills."""
        self._stop.set()

    def __enter__(self) -> "Killer":
        self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            self._stop.set()
        self._thread.join()
