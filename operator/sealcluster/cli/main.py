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
from sealcluster.cli.helptexts import Command

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    help="Bare Linux machines become Kubernetes clusters.",
    epilog="Begin with: sealcluster gen --help (write the file), preflight, plan, apply. A command's options: sealcluster COMMAND --help.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

COMMANDS: dict[str, tuple[Callable[..., None], str]] = {
    "run": (run, "Make a cluster of bare machines, or go on with it."),
    "apply": (apply, "Make the cluster what a file says."),
    "plan": (plan, "Show what would be done."),
    "preflight": (preflight, "Run every check on every machine."),
    "status": (status, "Show how a cluster and its machines are."),
    "logs": (logs, "Show why steps failed, and logs of machines."),
    "retry": (retry, "Go on with what was applied last."),
    "delete": (delete, "Clean and release the machines, or let go of them."),
    "pivot": (pivot, "Hand a cluster over to an operator."),
    "exec": (exec_, "Run a command as root on the machines."),
    "kubeconfig": (kubeconfig, "Print the admin kubeconfig of a cluster."),
    "gen": (gen, "Print the SealCluster that `run` would apply."),
    "convert": (convert, "Print a sealos Clusterfile as a SealCluster."),
    "version": (version, "Print the version of this program."),
}
"""What each name runs, and its line in the list of commands; `sealcluster COMMAND --help` shows the function's docstring."""

for name, (command, line) in COMMANDS.items():
    app.command(name, cls=Command, short_help=line)(grouped(command))


def main() -> None:
    """Entry point."""
    app()
