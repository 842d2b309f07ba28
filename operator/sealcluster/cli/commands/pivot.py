"""`sealcluster pivot`: a cluster of the command line becomes an operator's."""

from __future__ import annotations

from typing import Annotated

import typer

from sealcluster.cli import busy
from sealcluster.cli.here import enter
from sealcluster.cli.options import Cluster, Common, Plane


def pivot(
    ctx: typer.Context,
    plane: Plane,
    common: Common,
    cluster: Cluster = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be written, write nothing.")] = False,
) -> None:
    """Hand a cluster over to the operator of a management plane: its records, then the SealCluster, are written there.

    Nothing on the machines changes. From then on commands here leave the cluster alone. The same command again finishes what was interrupted.
    """
    from sealcluster.cli.handing import hand_over  # noqa: PLC0415 - the client is slow to load; most commands need none

    here = enter(ctx, common)
    records = here.records(cluster)
    wanted = records.require()
    with busy.working(records.directory, "pivot"):
        hand_over(here, records, wanted, plane, dry_run=dry_run)
