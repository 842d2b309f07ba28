"""Random faults of the lab, one after another, each undone after a while; whoever uses it only says when to begin and to end."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sealab import faults
from sealab.errors import LabError
from sealab.machines import Lab, Machine

Undo = Callable[[], None]
SKEWS = (-7200, -45, 45, 7200)
"""Seconds by which a machine's `date` is wrong; more than 30 keep a machine that is not claimed yet out."""


class Disturber:
    """`with Disturber(lab, operator, seed) as disturber: …`; leaving it undoes what is still in force.

    `counts` tells how many faults of each kind there were, `log` when which one hit whom. Faults hit one machine at a time, so that what
    breaks is what the product did, and not the loss of two of three etcd members.
    """

    def __init__(
        self, lab: Lab, operator: Any, seed: int, pause: tuple[float, float] = (4.0, 20.0), last: tuple[float, float] = (2.0, 25.0)
    ) -> None:
        self._lab, self._operator = lab, operator
        self._chance = random.Random(seed)
        self._pause, self._last = pause, last
        self._stop = threading.Event()
        self._turn = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.counts: Counter[str] = Counter()
        self.log: list[str] = []
        self.error: BaseException | None = None

    def __enter__(self) -> "Disturber":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        if self.error is not None:
            raise self.error

    @contextmanager
    def calm(self) -> Iterator[None]:
        """Nothing is disturbed while this lasts; what was in force is undone before it begins. Raises what ended the faults."""
        if self.error is not None:
            raise self.error
        with self._turn:
            yield

    def _run(self) -> None:
        try:
            while not self._stop.wait(self._chance.uniform(*self._pause)):
                with self._turn:
                    self._one()
        except BaseException as error:  # noqa: BLE001 - a thread's failure is the test's
            self.error = error

    def _one(self) -> None:
        kind = self._chance.choice(sorted(self._kinds()))
        machine = self._chance.choice(sorted(self._lab.machines.values(), key=lambda m: m.name))
        try:
            undo = self._kinds()[kind](machine)
        except LabError as error:  # a machine that is too busy to be frozen, say: no fault has struck, and the next one is due
            self.log.append(f"{kind} {machine.name}: {error}")
            return
        self.counts[kind] += 1
        self.log.append(f"{kind} {'' if kind.startswith('operator') else machine.name}")
        self._stop.wait(self._chance.uniform(*self._last))
        undo()

    def _kinds(self) -> Mapping[str, Callable[[Machine], Undo]]:
        return {
            "link cut": self._paired(faults.cut, faults.heal),
            "link slow": self._paired(lambda lab, m: faults.throttle(lab, m, "20mbit"), faults.unthrottle),
            "machine paused": self._paired(faults.pause, faults.resume),
            "power off": self._paired(faults.power_off, faults.power_on),
            "reboot": self._paired(faults.reboot, lambda _lab, _m: None),
            "disk full": self._paired(faults.fill_disk, faults.free_disk),
            "sshd killed": self._paired(faults.kill_sshd, faults.start_sshd),
            "clock wrong": self._paired(lambda lab, m: faults.skew_clock(lab, m, self._chance.choice(SKEWS)), _right),
            "operator killed": lambda _m: self._killed(),
            "operator paused": lambda _m: self._paused(),
        }

    def _paired(self, do: Callable[[Lab, Machine], None], undo: Callable[[Lab, Machine], None]) -> Callable[[Machine], Undo]:
        def begin(machine: Machine) -> Undo:
            do(self._lab, machine)
            return lambda: self._undone(undo, machine)

        return begin

    def _undone(self, undo: Callable[[Lab, Machine], None], machine: Machine) -> None:
        try:
            undo(self._lab, machine)
        except LabError:  # a machine that is busy may refuse once
            undo(self._lab, machine)

    def _killed(self) -> Undo:
        self._operator.kill()
        self._operator.start()
        return lambda: None

    def _paused(self) -> Undo:
        self._operator.pause()
        return self._operator.resume


def _right(lab: Lab, machine: Machine) -> None:
    faults.skew_clock(lab, machine, 0)
