"""What a person sees while a cluster is being made: one line per thing that happens."""

from __future__ import annotations

import time

from rich.console import Console

from sealcluster.engine import Report


class Narrator:
    """Prints what is new in each report."""

    def __init__(self, cluster: str, console: Console | None = None) -> None:
        self._cluster = cluster
        self._console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._started = time.monotonic()
        self._seen: set[str] = set()
        self._step = ""

    def tell(self, report: Report) -> None:
        """One turn."""
        for action in report.running.values():
            if action.key not in self._seen:
                self._seen.add(action.key)
                where = f"{action.host}: " if action.host else ""
                self._line(f"{where}{action.what}")
        self._seen &= {a.key for a in report.running.values()} | {s for s in self._seen if s.startswith("!")}
        for problem in report.problems:
            text = f"!{problem.reason}: {problem.message}{'; ' + problem.hint if problem.hint else ''}"
            if text not in self._seen:
                self._seen.add(text)
                self._line(text[1:], style="red" if problem.terminal else "yellow")
        note = report.account.working or report.account.blocked
        if note is not None and note.message != self._step:
            self._step = note.message
            self._line(note.message, style="bold")

    def end(self, report: Report) -> None:
        """The last word."""
        if report.ready:
            nodes = len(report.view.wanted)
            self._line(f"{self._cluster} is ready: {nodes} node{'s' if nodes != 1 else ''}, Kubernetes {report.view.version}", style="bold green")

    def _line(self, text: str, style: str | None = None) -> None:
        self._console.print(f"{time.monotonic() - self._started:6.1f}s {text}", style=style)
