"""`sealcluster plan`: what would be done."""

from __future__ import annotations

import typer

from sealcluster.cli import exits, planeview, show_plan
from sealcluster.cli.here import Here, emit, enter, show
from sealcluster.cli.looking import glance
from sealcluster.cli.options import Cluster, Common, ExitCode, File, Format, Login, Output, Plane, Registries
from sealcluster.cli.wishes import wish_of


def plan(
    ctx: typer.Context,
    login: Login,
    registries: Registries,
    plane: Plane,
    output: Output,
    common: Common,
    cluster: Cluster = None,
    file: File = None,
    exit_code: ExitCode = False,
) -> None:
    """Show what would be done, host by host, and what each step waits for. Looks at the machines, changes nothing there.

    With -f: what `apply` of that file would do. Without: what is left to do for a known cluster.
    """
    here = enter(ctx, common)
    if file is None and planeview.meant(here, plane, cluster):
        steps = planeview.plan(here, plane, cluster, output.output)
        if exit_code and steps:
            raise typer.Exit(exits.DIFFERENT)
        return
    _local(here, cluster, file, login, registries, output.output, exit_code=exit_code)


def _local(here: Here, cluster: str | None, file: File, login: Login, registries: Registries, output: Format, *, exit_code: bool) -> None:
    report = glance(here, wish_of(here, cluster, file, login, registries))
    if output is Format.TEXT:
        show(show_plan.lines(report))
    else:
        emit(show_plan.document(report), output)
    steps = show_plan.steps(report)
    if any(p.terminal and p.cluster for p in report.problems) or (not steps and any(p.terminal for p in report.problems)):
        raise typer.Exit(exits.BLOCKED)
    if exit_code and (steps or report.problems):
        raise typer.Exit(exits.DIFFERENT)
