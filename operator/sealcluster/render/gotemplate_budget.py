"""What one rendering may cost: untrusted templates must end soon and stay small."""

from dataclasses import dataclass

from sealcluster.render.gotemplate_values import ValueProblem


@dataclass(slots=True)
class Budget:
    """Counts down; every count that would fall below zero is a ValueProblem."""

    steps: int = 100_000
    """Operations that may still be evaluated."""
    work: int = 32 << 20
    """Characters that functions may still read and produce, all together."""
    output: int = 4 << 20
    """Characters that may still be printed."""

    def step(self) -> None:
        """Pay for one operation."""
        self.steps -= 1
        if self.steps < 0:
            raise ValueProblem("the template takes too many steps")

    def spend(self, characters: int) -> None:
        """Pay for reading or producing so many characters; called before they are produced."""
        self.work -= characters
        if self.work < 0:
            raise ValueProblem("the template handles too much text")

    def emit(self, characters: int) -> None:
        """Pay for printing so many characters."""
        self.output -= characters
        if self.output < 0:
            raise ValueProblem("the template's output is too large")
