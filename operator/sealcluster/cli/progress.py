"""What a person sees while a command works: live on a terminal, one line per event elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console

from sealcluster.cli.changes import Changes
from sealcluster.engine import Report


class Teller(Protocol):
    """Shows progress; used as a context manager around the work."""

    def __enter__(self) -> Self:
        """Begin."""
        ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Leave the terminal as it was."""
        ...

    def tell(self, report: Report) -> None:
        """One turn of the engine."""
        ...

    def say(self, text: str, style: str = "") -> None:
        """A line of the command's own."""
        ...


class Narrator:
    """One line per event, with the seconds since the beginning."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._started = time.monotonic()
        self._changes = Changes()

    def __enter__(self) -> Self:
        """Nothing to prepare."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Nothing to tidy up."""

    def tell(self, report: Report) -> None:
        """Print what is new."""
        for line in self._changes.new(report):
            self.say(line.text, line.style)

    def say(self, text: str, style: str = "") -> None:
        """Print a line."""
        self._console.print(f"{time.monotonic() - self._started:6.1f}s {text}", style=style or None, markup=False)


def teller(cluster: str, *, verbose: bool) -> Teller:
    """Live on a terminal; lines elsewhere, and with -v, whose log would tear the picture."""
    from sealcluster.cli.live import Live  # noqa: PLC0415 - rich's tables are loaded only where they are drawn

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if console.is_terminal and not console.is_dumb_terminal and not verbose:
        return Live(cluster, Console(stderr=True, highlight=False))
    return Narrator(console)
