"""A crash at every effect: the same story again and again, each time with an operator that dies at another point."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sealcluster.testing.effects import SIDES
from sealcluster.testing.scenarios import Outcome, differences

Story = Callable[[int, str], Outcome]
"""Tells a story whose operator dies at this effect (0: never), on this side of it."""


@dataclass(frozen=True)
class Crashed:
    """One run of a sweep."""

    effect: int
    side: str
    name: str
    """What the effect was."""
    outcome: Outcome
    problems: tuple[str, ...]
    """What went wrong, and where the end differs from that of the run without a crash; empty: a good run."""

    def __str__(self) -> str:
        return f"{self.side} effect {self.effect} ({self.name}): {'; '.join(self.problems) or 'same end'}"


def sweep(story: Story, every: int = 1, first: int = 1) -> Iterator[Crashed]:
    """Crash at every `every`-th effect beginning with `first`, before it, while it happens and after it.

    Raises AssertionError when the story goes wrong without any crash: nothing could be compared then.
    """
    calm = story(0, "before")
    assert not calm.problems, f"without any crash: {calm}"
    for effect in range(first, len(calm.effects) + 1, every):
        for side in SIDES:
            outcome = story(effect, side)
            unlike = differences(calm.state, outcome.state)
            yield Crashed(effect, side, calm.effects[effect - 1], outcome, (*outcome.problems, *unlike))
