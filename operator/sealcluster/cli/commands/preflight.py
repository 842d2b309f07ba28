"""`sealcluster preflight`: are these machines fit?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sealcluster.cli import exits, preflight_page, show_preflight
from sealcluster.cli.here import emit, enter, show
from sealcluster.cli.looking import glance
from sealcluster.cli.options import Cluster, Common, File, Format, Login, Output, Registries
from sealcluster.cli.statusview import moment
from sealcluster.cli.wishes import wish_of


def preflight(
    ctx: typer.Context,
    login: Login,
    registries: Registries,
    output: Output,
    common: Common,
    cluster: Cluster = None,
    file: File = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", dir_okay=False, help="Also write the report as one page to this file.")
    ] = None,
) -> None:
    """Run every check on every machine and show all results. Changes nothing; ends with 3 when a check failed."""
    here = enter(ctx, common)
    view = glance(here, wish_of(here, cluster, file, login, registries), images=False).view
    results = show_preflight.checks(view)
    if html is not None:
        when = moment(here.outside.now()).strftime("%Y-%m-%d at %H:%M UTC")
        html.write_text(preflight_page.page(view.name, results, when), encoding="utf-8")
    if output.output is Format.TEXT:
        show(show_preflight.lines(results))
    else:
        emit(show_preflight.document(view, results), output.output)
    if any(check.blocks for check in results):
        raise typer.Exit(exits.BLOCKED)
