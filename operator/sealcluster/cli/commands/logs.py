"""`sealcluster logs`: what is known of steps that failed, and what jobs on machines say."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from sealcluster.cli import completion, planeview, show_logs
from sealcluster.cli.failures import say
from sealcluster.cli.here import Here, emit, enter, show
from sealcluster.cli.machinelogs import follow_machines, show_machine
from sealcluster.cli.options import Common, Format, Output, Plane
from sealcluster.cli.records import Records
from sealcluster.cli.remote import chosen
from sealcluster.core.errors import TransientError
from sealcluster.core.evidence import Evidence

EVERY = 2.0
"""Seconds between two looks of --follow."""


def logs(
    ctx: typer.Context,
    plane: Plane,
    output: Output,
    common: Common,
    host: Annotated[str | None, typer.Argument(metavar="HOST", help="Only this host; with records on this machine also its jobs.")] = None,
    cluster: Annotated[
        str | None,
        typer.Option("-c", "--cluster", "--name", metavar="NAME", help="Name of the cluster.", autocompletion=completion.clusters),
    ] = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on showing what is new, until interrupted.")] = False,
    tail: Annotated[int, typer.Option(metavar="LINES", min=0, help="Last lines of each output that are shown; 0: all that is kept.")] = 20,
    jobs: Annotated[int, typer.Option(metavar="NUMBER", min=1, help="With HOST: how many of its newest jobs are shown.")] = 5,
    step: Annotated[str, typer.Option(metavar="STEP", help="With HOST: only jobs of this step, such as kubeadm-join.")] = "",
) -> None:
    """Show the evidence of failed steps: what was done, its last lines, the log of the unit concerned. Changes nothing.

    With HOST, and records on this machine, the logs of its newest jobs too, read on the machine itself.
    """
    here = enter(ctx, common)
    if planeview.meant(here, plane, cluster):
        _of_plane(here, plane, cluster, host, output.output, tail, follow=follow)
        return
    records = here.records(cluster)
    wanted = records.require()
    targets = chosen(wanted, "", host or "")
    entries = here.outside.run(records.management.load_evidence()) or _of_status(records)
    known = show_logs.chosen(entries, str(targets[0].name) if host else None)
    if output.output is not Format.TEXT:
        emit(show_logs.document(records.name, known), output.output)
        return
    show(show_logs.lines(known, tail))
    if follow:
        here.outside.run(follow_machines(here, records, wanted, targets, EVERY))
    elif host:
        here.outside.run(show_machine(here, records, wanted, targets[0], jobs=jobs, lines=tail or 1000, step=step))


def _of_status(records: Records) -> tuple[Evidence, ...]:
    failure = records.status().last_failure
    return show_logs.of_status(failure, planeview.seconds_of(failure.time) if failure else 0.0)


def _of_plane(here: Here, plane: Plane, cluster: str | None, host: str | None, output: Format, tail: int, *, follow: bool) -> None:
    name, entries = planeview.evidence(here, plane, cluster)
    known = show_logs.chosen(entries, host)
    if output is not Format.TEXT:
        emit(show_logs.document(name, known), output)
        return
    show(show_logs.lines(known, tail))
    told = {(e.key, e.time) for e in known}
    silent = ""
    while follow:
        here.outside.run(asyncio.sleep(EVERY))
        try:
            entries = planeview.evidence(here, plane, name)[1]
            silent = ""
        except TransientError as error:  # said once; the plane is asked again
            if error.message != silent:
                say(error.message)
            silent = error.message
            continue
        for entry in show_logs.chosen(entries, host):
            if (entry.key, entry.time) not in told:
                told.add((entry.key, entry.time))
                show(["", *show_logs.lines((entry,), tail)])
