"""How often an operator looks at clusters where nothing is to be done: as often as people expect, until there are very many machines.

From `FULL_PACE` machines on, all clusters of the process together, looks at idle clusters become rarer in proportion, so that doing nothing
costs the same however many there are. What is being changed, what failed and what was asked for is looked at as ever.
"""

from __future__ import annotations

FULL_PACE = 500
"""Machines of one process that are looked at as often as a single one would be."""


class Pace:
    """One per process: all its engines say how many machines they look after."""

    def __init__(self) -> None:
        self._machines: dict[object, int] = {}

    def looks_after(self, engine: object, machines: int) -> None:
        """This engine looks after so many machines now, until `ended`."""
        self._machines[engine] = machines

    def ended(self, engine: object) -> None:
        """This engine looks after none any more."""
        self._machines.pop(engine, None)

    def slower(self) -> float:
        """The factor by which looks at idle clusters are rarer now; 1: not at all."""
        return max(1.0, sum(self._machines.values()) / FULL_PACE)
