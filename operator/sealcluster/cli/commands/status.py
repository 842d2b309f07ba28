"""`sealcluster status`: how a cluster is."""

from __future__ import annotations

from typing import Annotated

import typer

from sealcluster.api import ConditionStatus, SealClusterStatus
from sealcluster.cli import busy, exits, handedover, planeview, show_status
from sealcluster.cli.change import Wish
from sealcluster.cli.columns import table
from sealcluster.cli.here import Here, emit, enter, show
from sealcluster.cli.looking import glance, keep_looking
from sealcluster.cli.options import Cluster, Common, ExitCode, Format, Output, Plane
from sealcluster.cli.records import Records, known, manifest
from sealcluster.cli.show_status import Shown
from sealcluster.cli.statusview import status_of
from sealcluster.core.errors import TerminalError
from sealcluster.engine import Report

PLANE, LOCAL = 2.0, 5.0
"""Seconds between two looks of --watch: at an object, at machines."""
MOST = 30
"""Hosts that --watch shows."""


def status(
    ctx: typer.Context,
    plane: Plane,
    output: Output,
    common: Common,
    cluster: Cluster = None,
    watch: Annotated[bool, typer.Option("-w", "--watch", help="Go on looking and show what changes, until interrupted.")] = False,
    exit_code: ExitCode = False,
) -> None:
    """Look at a cluster and its machines and say how they are: hosts, the steps that are left for each, conditions. Changes nothing.

    With --exit-code: 0 Ready, 4 not yet, 3 a person is needed. Without a name, where several clusters are known: list them.
    """
    here = enter(ctx, common)
    if watch and output.output is not Format.TEXT:
        raise TerminalError("reading the arguments: --watch shows text", reason="InvalidSpec", hint="leave out --output")
    if planeview.meant(here, plane, cluster):
        found = _watched(here, plane, cluster, None) if watch else planeview.status(here, plane, cluster, output.output)
    elif cluster is None and len(known(common.root)) > 1 and not watch:
        _list(here, output.output)
        return
    else:
        records = here.records(cluster)
        records.require()
        found = _watched(here, plane, cluster, records) if watch else _local(here, records, output.output)
    if exit_code:
        raise typer.Exit(code(found))


def _watched(here: Here, plane: Plane, cluster: str | None, records: Records | None) -> SealClusterStatus:
    """The status that was seen last."""
    from sealcluster.cli.watching import screen as find_screen  # noqa: PLC0415 - rich is loaded only where something is drawn

    last = SealClusterStatus()
    with find_screen() as screen:

        def draw(shown: Shown) -> None:
            nonlocal last
            last = shown.status
            screen.draw(show_status.lines(shown, MOST))

        def draw_report(report: Report) -> None:
            assert records is not None
            draw(_shown(records, status_of(report, last if last.conditions else records.status())))

        try:
            if records is None:
                planeview.watch(here, plane, cluster, draw, PLANE)
            else:
                keep_looking(here, records, draw_report, LOCAL)
        except KeyboardInterrupt:
            return last  # how a person ends it
    return last


def code(status: SealClusterStatus) -> int:
    """What the conditions mean for a script."""
    true = {c.type for c in status.conditions if c.status is ConditionStatus.TRUE}
    return 0 if "Ready" in true else exits.BLOCKED if "Stalled" in true else exits.DIFFERENT


def _local(here: Here, records: Records, output: Format) -> SealClusterStatus:
    wanted = records.require()
    found = status_of(glance(here, Wish(wanted)), records.status())
    records.store_status(found)
    if output is Format.TEXT:
        show(show_status.lines(_shown(records, found)))
    else:
        emit(manifest(wanted, found), output)
    return found


def _shown(records: Records, found: SealClusterStatus) -> Shown:
    elsewhere = handedover.noted(records.directory)
    note = f"it was handed over to {elsewhere}" if elsewhere else ""
    return Shown(records.name, found, records.require().spec.hosts, busy.holder(records.directory), note)


def _list(here: Here, output: Format) -> None:
    """What the records say of every cluster; no machine is looked at."""
    rows: list[dict[str, str | int | bool]] = []
    cells: list[list[str]] = []
    for name in known(here.common.root):
        records = Records(here.common.root, name)
        wanted = records.document()
        state, _ = here.outside.run(records.management.load_state())
        hosts, version, seen = len(wanted.spec.hosts) if wanted else 0, state.version if state else "", records.status().phase or ""
        working = busy.holder(records.directory)
        rows.append({"name": name, "hosts": hosts, "version": version, "lastSeen": seen, "busy": bool(working)})
        cells.append(
            [
                name,
                str(hosts),
                version,
                seen,
                (handedover.noted(records.directory) and "handed over") or (working and "being changed") or "",
            ]
        )
    if output is Format.TEXT:
        show(table(("CLUSTER", "HOSTS", "VERSION", "LAST SEEN", "NOW"), cells))
    else:
        emit({"clusters": rows}, output)
