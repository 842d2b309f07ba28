"""Shows a text again and again: in place on a terminal, elsewhere anew whenever it has changed."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self

import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text

from sealcluster.cli.paint import painted


class Screen(Protocol):
    """Where the text goes; used as a context manager."""

    def __enter__(self) -> Self:
        """Begin."""
        ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Leave the terminal as it was."""
        ...

    def draw(self, lines: Sequence[str]) -> None:
        """The newest text."""
        ...


class Printed:
    """No terminal: every new text below the one before, after an empty line."""

    def __init__(self) -> None:
        self._last: list[str] | None = None

    def __enter__(self) -> Self:
        """Nothing to prepare."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Nothing to tidy up."""

    def draw(self, lines: Sequence[str]) -> None:
        """Print what has changed, whole."""
        if list(lines) == self._last:
            return
        if self._last is not None:
            typer.echo("")
        self._last = list(lines)
        typer.echo("\n".join(lines))


class Drawn:
    """A terminal: the text in its place, cut to the height; the whole of the last one stays when it ends."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop", transient=True)
        self._lines: list[str] = []

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """The cursor comes back, and the last text is printed whole."""
        self._live.stop()
        if self._lines:
            self._console.print(_cut(self._lines))

    def draw(self, lines: Sequence[str]) -> None:
        """Replace what is shown."""
        self._lines = list(lines)
        room = max(self._console.height - 1, 2)
        shown = self._lines if len(lines) <= room else [*self._lines[: room - 1], f"… {len(lines) - room + 1} more lines"]
        self._live.update(_cut(shown), refresh=True)


def _cut(lines: Sequence[str]) -> Text:
    """Painted; long lines are cut at the edge rather than wrapped, or the picture could not be drawn in its place."""
    text = painted(lines)
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def screen() -> Screen:
    """For standard output."""
    console = Console(highlight=False)
    return Drawn(console) if console.is_terminal and not console.is_dumb_terminal else Printed()
