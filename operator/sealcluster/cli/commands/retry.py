"""`sealcluster retry`: go on with what was applied last."""

from __future__ import annotations

import typer

from sealcluster.cli import planeview
from sealcluster.cli.change import Wish, change, generation
from sealcluster.cli.here import enter
from sealcluster.cli.options import Cluster, Common, Login, Output, Patience, Plane, Registries


def retry(
    ctx: typer.Context,
    login: Login,
    registries: Registries,
    patience: Patience,
    plane: Plane,
    output: Output,
    common: Common,
    cluster: Cluster = None,
) -> None:
    """Go on with what was applied last, as if nothing had failed; new credentials replace the stored ones.

    With --kubeconfig, --context or -n: ask the operator there to try again now.
    """
    here = enter(ctx, common)
    if planeview.meant(here, plane, cluster):
        planeview.retry(here, plane, cluster)
        return
    wanted = here.records(cluster).require()
    if wanted.deleting:
        from sealcluster.cli.commands.delete import release  # noqa: PLC0415 - only a deletion that goes on needs it

        release(here, wanted, Wish(wanted, login=login, registries=registries), patience)
        return
    change(here, "retry", Wish(wanted, login=login, registries=registries, basis=generation(wanted)), patience, output.output)
