"""`sealcluster exec`: a command on many machines at once."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from sealcluster.cli import exits
from sealcluster.cli.change import seconds
from sealcluster.cli.failures import say
from sealcluster.cli.here import enter
from sealcluster.cli.options import Common
from sealcluster.cli.remote import Answer, Prefixed, chosen, everywhere


def exec_(
    ctx: typer.Context,
    common: Common,
    words: Annotated[list[str], typer.Argument(metavar="-- COMMAND", help="One word is a shell text, several are one command.")],
    cluster: Annotated[str | None, typer.Option("-c", "--cluster", "--name", metavar="NAME", help="Name of the cluster.")] = None,
    roles: Annotated[
        str, typer.Option("-r", "--roles", metavar="ROLES", help="Only hosts with one of these roles: master, node, registry.")
    ] = "",
    hosts: Annotated[str, typer.Option(metavar="HOSTS", help="Only these hosts, by name or address, comma-separated.")] = "",
    timeout: Annotated[str, typer.Option(metavar="TIME", help="Stop waiting after this time; the command goes on there.")] = "10m",
) -> None:
    """Run a command as root on the machines of a cluster, side by side; each line of output begins with the host's name.

    Ends with 1 when it failed anywhere. Example: sealcluster exec -r master -- 'crictl ps | grep etcd'
    """
    here = enter(ctx, common)
    records = here.records(cluster)
    wanted = records.require()
    targets = chosen(wanted, roles, hosts)
    text = words[0] if len(words) == 1 else shlex.join(words)
    printer = Prefixed(targets)

    async def work() -> list[Answer]:
        opened = here.outside.open(common.root, records.settings())
        try:
            return await everywhere(opened, wanted, records.management, targets, text, seconds(timeout) or 0, printer.line)
        finally:
            await opened.close()

    answers = here.outside.run(work())
    failed = [answer for answer in answers if answer.rc != 0]
    for answer in failed:
        say(f"{answer.host}: {answer.error or f'exit code {answer.rc}'}")
    if failed:
        raise typer.Exit(exits.FAILED)
