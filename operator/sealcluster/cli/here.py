"""Where a command runs: its options for records and logs, and its way to the world."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import typer

from sealcluster.cli import logs
from sealcluster.cli.options import Common, Format
from sealcluster.cli.outside import Outside, RealOutside
from sealcluster.cli.progress import Teller, teller
from sealcluster.cli.records import Records, choose, to_yaml


@dataclass(frozen=True)
class Here:
    """Given to everything that a command does."""

    outside: Outside
    common: Common
    program: str
    """The name that it was called by: sealcluster or kubectl-seal."""

    def records(self, name: str | None) -> Records:
        """Of the cluster that was named, or of the only one. TerminalError when it is not clear which one is meant."""
        return Records(self.common.root, choose(self.common.root, name))

    @contextmanager
    def patience(self, what: str) -> Iterator[None]:
        """Says on a terminal what is waited for, and takes it away again; elsewhere, and beside the log of -v, nothing."""
        if not sys.stderr.isatty() or self.common.verbose:
            yield
            return
        from rich.console import Console  # noqa: PLC0415 - rich is loaded only where something is drawn

        with Console(stderr=True).status(what):
            yield

    def teller(self, cluster: str) -> Teller:
        """Progress that fits standard error."""
        return teller(cluster, verbose=bool(self.common.verbose))


def enter(ctx: typer.Context, common: Common) -> Here:
    """Set up logs; tests give another world in `ctx.obj`."""
    logs.configure(common.log_file or common.root / ".log", common.verbose)
    outside: Outside = ctx.obj or RealOutside()
    return Here(outside, common, str(ctx.find_root().info_name or "sealcluster"))


def emit(document: Mapping[str, Any], output: Format) -> None:
    """A result for programs, to standard output."""
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False) if output is Format.JSON else to_yaml(document).rstrip("\n"))


def show(lines: Sequence[str]) -> None:
    """A result for people, to standard output; with colours on a terminal, where nobody asked for none (NO_COLOR, TERM=dumb)."""
    if sys.stdout.isatty():
        from rich.console import Console  # noqa: PLC0415 - rich is loaded only where something is drawn

        from sealcluster.cli.paint import painted  # noqa: PLC0415 - see above

        Console(highlight=False).print(painted(lines), soft_wrap=True, end="")
    else:
        typer.echo("\n".join(lines))
