"""The command line: `sealcluster`, also installed as `kubectl-seal`. Each command is a file in `commands`."""

from __future__ import annotations

from collections.abc import Callable

import typer

from sealcluster.cli.commands.apply import apply
from sealcluster.cli.commands.convert import convert
from sealcluster.cli.commands.delete import delete
from sealcluster.cli.commands.exec import exec_
from sealcluster.cli.commands.gen import gen
from sealcluster.cli.commands.kubeconfig import kubeconfig
from sealcluster.cli.commands.logs import logs
from sealcluster.cli.commands.pivot import pivot
from sealcluster.cli.commands.plan import plan
from sealcluster.cli.commands.preflight import preflight
from sealcluster.cli.commands.retry import retry
from sealcluster.cli.commands.run import run
from sealcluster.cli.commands.status import status
from sealcluster.cli.commands.version import version
from sealcluster.cli.failures import Group
from sealcluster.cli.groups import grouped

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    help="Bare Linux machines become Kubernetes clusters.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

COMMANDS: dict[str, Callable[..., None]] = {
    "run": run,
    "apply": apply,
    "plan": plan,
    "preflight": preflight,
    "status": status,
    "logs": logs,
    "retry": retry,
    "delete": delete,
    "pivot": pivot,
    "exec": exec_,
    "kubeconfig": kubeconfig,
    "gen": gen,
    "convert": convert,
    "version": version,
}

for name, command in COMMANDS.items():
    app.command(name)(grouped(command))


def main() -> None:
    """Entry point."""
    app()
