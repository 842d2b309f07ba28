"""`sealcluster status`: how a cluster is."""

from __future__ import annotations

import typer

from sealcluster.api import ConditionStatus, SealClusterStatus
from sealcluster.cli import busy, exits, handedover, planeview, show_status
from sealcluster.cli.change import Wish
from sealcluster.cli.columns import table
from sealcluster.cli.here import Here, emit, enter, show
from sealcluster.cli.looking import glance
from sealcluster.cli.options import Cluster, Common, ExitCode, Format, Output, Plane
from sealcluster.cli.records import Records, known, manifest
from sealcluster.cli.statusview import status_of


def status(ctx: typer.Context, plane: Plane, output: Output, common: Common, cluster: Cluster = None, exit_code: ExitCode = False) -> None:
    """Look at a cluster and its machines and say how they are. Changes nothing.

    With --exit-code: 0 Ready, 4 not yet, 3 a person is needed. Without a name, where several clusters are known: list them.
    """
    here = enter(ctx, common)
    if planeview.meant(here, plane, cluster):
        found = planeview.status(here, plane, cluster, output.output)
    elif cluster is None and len(known(common.root)) > 1:
        _list(here, output.output)
        return
    else:
        found = _local(here, here.records(cluster), output.output)
    if exit_code:
        raise typer.Exit(code(found))


def code(status: SealClusterStatus) -> int:
    """What the conditions mean for a script."""
    true = {c.type for c in status.conditions if c.status is ConditionStatus.TRUE}
    return 0 if "Ready" in true else exits.BLOCKED if "Stalled" in true else exits.DIFFERENT


def _local(here: Here, records: Records, output: Format) -> SealClusterStatus:
    wanted = records.require()
    found = status_of(glance(here, Wish(wanted)), records.status())
    records.store_status(found)
    if output is Format.TEXT:
        elsewhere = handedover.noted(records.directory)
        show(
            show_status.lines(
                show_status.Shown(
                    records.name, found, wanted.spec.hosts, busy.holder(records.directory), str(elsewhere) if elsewhere else ""
                )
            )
        )
    else:
        emit(manifest(wanted, found), output)
    return found


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
