"""`sealcluster delete`: the machines are cleaned and released, or left as they are."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from sealcluster.api import DeletionPolicy, SealCluster, timestamp
from sealcluster.cli import busy, exits, handedover
from sealcluster.cli.change import Wish, carry_out, remember
from sealcluster.cli.failures import say
from sealcluster.cli.here import Here, enter
from sealcluster.cli.options import Cluster, Common, Format, Login, Patience, Registries
from sealcluster.cli.records import Records
from sealcluster.cli.statusview import moment
from sealcluster.core.errors import TerminalError


def delete(
    ctx: typer.Context,
    login: Login,
    registries: Registries,
    patience: Patience,
    common: Common,
    cluster: Cluster = None,
    reset: Annotated[
        bool | None, typer.Option("--reset/--retain", help="Clean the machines, or leave them running (default: spec.deletionPolicy).")
    ] = None,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a cluster. Reset: every machine is cleaned, verified from outside and released; all records go.

    Retain: the machines are not touched; the cluster runs on, its state and authorities stay here: apply its manifest to take it up again.
    """
    here = enter(ctx, common)
    records = here.records(cluster)
    wanted = records.require()
    handedover.refuse(records.directory, "deleting")
    policy = {None: wanted.spec.deletion_policy, True: DeletionPolicy.RESET, False: DeletionPolicy.RETAIN}[reset]
    if policy is DeletionPolicy.RETAIN and wanted.deleting:
        raise TerminalError(
            f"deleting {records.name}: its machines are being cleaned already", reason="InvalidSpec", hint="finish it with --reset"
        )
    _confirm(records.name, wanted, policy, yes=yes)
    if policy is DeletionPolicy.RETAIN:
        with busy.working(records.directory, "delete"):
            records.forget_document()
        say(f"{records.name} runs on; its state and authorities stay in {records.directory}: apply its manifest to take it up again")
        return
    release(here, wanted, Wish(wanted, login=login, registries=registries), patience)


def release(here: Here, wanted: SealCluster, wish: Wish, patience: Patience) -> None:
    """Clean and release every machine, then remove the records."""
    records = Records(here.common.root, wanted.name)
    handedover.refuse(records.directory, "deleting")
    with busy.working(records.directory, "delete"):
        when = wanted.metadata.deletion_timestamp or timestamp(moment(here.outside.now()))
        doomed = wanted.model_copy(update={"metadata": wanted.metadata.model_copy(update={"deletion_timestamp": when})})
        remember(here, records, doomed, wish)
        report = carry_out(here, records, doomed, patience, Format.TEXT)
        if not report.released:
            raise typer.Exit(exits.BLOCKED)
        here.outside.run(records.management.purge())
        records.remove()
    say(f"{wanted.name} is deleted: its machines are clean and its records are gone")


def _confirm(name: str, wanted: SealCluster, policy: DeletionPolicy, *, yes: bool) -> None:
    if yes:
        return
    hosts = len(wanted.spec.hosts)
    what = (
        f"{hosts} machine{'s' if hosts != 1 else ''} will be cleaned, data included"
        if policy is DeletionPolicy.RESET
        else "the machines stay as they are"
    )
    if not sys.stdin.isatty():
        raise TerminalError(f"deleting {name}: nobody can be asked ({what})", reason="InvalidSpec", hint="say --yes")
    if typer.prompt(f"{name}: {what}. Type the cluster's name to go on", err=True, default="", show_default=False) != name:
        raise TerminalError(f"deleting {name}: not confirmed", reason="InvalidSpec")
