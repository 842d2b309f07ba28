"""Live progress on a terminal: what is under way, a bar for the phase, and the hosts with what each is doing."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.live import Live as RichLive
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from sealcluster.api import HostState, HostStatus, SealClusterStatus
from sealcluster.cli.changes import Changes, waiting_for
from sealcluster.cli.statusview import status_of
from sealcluster.engine import Report

STYLES = {
    HostState.READY: "green",
    HostState.NOT_READY: "yellow",
    HostState.UNREACHABLE: "red",
    HostState.FAILED: "red",
    HostState.EXCLUDED: "red",
    HostState.PENDING: "dim",
}
FRAMES_PER_SECOND = 4
OTHER_LINES = 4
"""Lines of the terminal that are not hosts: head, bar, what is left out, the cursor."""


class Live:
    """A picture that is drawn anew from the newest report; events that must not be lost are printed above it."""

    def __init__(self, cluster: str, console: Console) -> None:
        self._picture = Picture(cluster)
        self._changes = Changes()
        self._console = console
        self._live = RichLive(self._picture, console=console, refresh_per_second=FRAMES_PER_SECOND, transient=True)

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Take the picture away."""
        self._live.stop()

    def tell(self, report: Report) -> None:
        """The newest report."""
        for line in self._changes.new(report):
            if line.kind in ("key", "problem"):
                self.say(line.text, line.style)
        self._picture.report = report

    def say(self, text: str, style: str = "") -> None:
        """A line above the picture, which stays."""
        # A style given to print() would colour the picture below too.
        self._console.print(Text(f"{self._picture.elapsed():6.1f}s {text}", style), soft_wrap=True)


class Picture:
    """What is drawn; rich asks for it several times a second."""

    def __init__(self, cluster: str) -> None:
        self.report: Report | None = None
        self._cluster = cluster
        self._started = time.monotonic()
        self._spinner = Spinner("dots")
        self._drawn: tuple[Report, SealClusterStatus] | None = None

    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._started

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Head, bar, hosts."""
        report = self.report
        head = Table.grid(padding=(0, 1))
        elapsed = f"{int(self.elapsed()) // 60}:{int(self.elapsed()) % 60:02}"
        if report is None:
            head.add_row(self._spinner.render(time.monotonic()), Text(f"{self._cluster}: looking at the machines"), Text(elapsed, "dim"))
            yield head
            return
        title = str(report.step) if report.step else waiting_for(report)
        cells = [self._spinner.render(time.monotonic()), Text(self._cluster, "bold"), Text(title, no_wrap=True, overflow="ellipsis")]
        if report.step and report.step.total:
            cells.append(ProgressBar(total=report.step.total, completed=report.step.done, width=24))
        head.add_row(*cells, Text(elapsed, "dim"))
        yield Group(head, self._hosts(report, max(3, console.size.height - OTHER_LINES)))

    def _hosts(self, report: Report, room: int) -> Table:
        if self._drawn is None or self._drawn[0] is not report:
            self._drawn = (report, status_of(report, SealClusterStatus()))
        rows = self._drawn[1].hosts
        shown = rows if len(rows) <= room else _important(rows, room)
        grid = Table.grid(padding=(0, 2))
        for column in range(4):
            grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1 if column == 3 else None)
        for number, row in enumerate(shown, 1):
            branch = "└─" if number == len(shown) and len(shown) == len(rows) else "├─"
            state = Text(row.state.value, STYLES.get(row.state, ""))
            grid.add_row(f"{branch} {row.name}", ",".join(row.roles or ()), state, Text(row.message or "", "dim"))
        if len(shown) < len(rows):
            ready = sum(r.state is HostState.READY for r in rows)
            grid.add_row("└─ …", "", "", Text(f"{len(rows) - len(shown)} more; {ready} of {len(rows)} are Ready", "dim"))
        return grid


def _important(rows: tuple[HostStatus, ...], room: int) -> tuple[HostStatus, ...]:
    """What is wrong first, then who is at work, then the others; shown in the order of the list."""
    rank = {HostState.FAILED: 0, HostState.UNREACHABLE: 0, HostState.EXCLUDED: 0, HostState.JOINING: 1, HostState.LEAVING: 1}
    chosen = sorted(rows, key=lambda row: rank.get(row.state, 2 if row.message else 3))[:room]
    names = {row.name for row in chosen}
    return tuple(row for row in rows if row.name in names)
