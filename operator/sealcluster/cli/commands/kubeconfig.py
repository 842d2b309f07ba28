"""`sealcluster kubeconfig`: how to talk to a cluster."""

from __future__ import annotations

import typer

from sealcluster.cli import planeview
from sealcluster.cli.here import enter
from sealcluster.cli.options import Cluster, Common, Plane
from sealcluster.core.errors import TransientError


def kubeconfig(ctx: typer.Context, plane: Plane, common: Common, cluster: Cluster = None) -> None:
    """Print the admin kubeconfig of a cluster."""
    here = enter(ctx, common)
    if planeview.meant(here, plane, cluster):
        text = planeview.kubeconfig(here, plane, cluster)
    else:
        records = here.records(cluster)
        found = here.outside.run(records.management.load_kubeconfig())
        if found is None:
            raise TransientError(
                f"reading the kubeconfig of {records.name}: there is none yet", hint="it is written once the control plane runs"
            )
        text = found
    typer.echo(text, nl=False)
