"""What one rendering may cost: untrusted templates must end soon and stay small.

One budget serves all templates of an image: thousands of small ones must not take longer than one that is large.
"""

from dataclasses import dataclass

from sealcluster.render.gotemplate_values import ValueProblem

WORDS = 50_000
"""Reading them takes about a second; a template of the known images has some fifty."""


@dataclass(slots=True)
class Budget:
    """Counts down; every count that would fall below zero is a ValueProblem."""

    words: int = WORDS
    """Words, signs and actions of templates that may still be read."""
    steps: int = 100_000
    """Operations that may still be evaluated."""
    work: int = 32 << 20
    """Characters that functions may still read and produce, all together."""
    output: int = 4 << 20
    """Characters that may still be printed."""

    def read(self, words: int) -> None:
        """Pay for a template's words, whether it was read before or not: what is refused does not depend on what is remembered."""
        self.words -= words
        if self.words < 0:
            raise ValueProblem("the image's templates have too many words")

    def step(self) -> None:
        """Pay for one operation."""
        self.steps -= 1
        if self.steps < 0:
            raise ValueProblem("the image's templates take too many steps")

    def spend(self, characters: int) -> None:
        """Pay for reading or producing so many characters; called before they are produced."""
        self.work -= characters
        if self.work < 0:
            raise ValueProblem("the image's templates handle too much text")

    def emit(self, characters: int) -> None:
        """Pay for printing so many characters."""
        self.output -= characters
        if self.output < 0:
            raise ValueProblem("the output of the image's templates is too large")
