"""`sealcluster run`: what `sealos run` is."""

from __future__ import annotations

import typer

from sealcluster.cli.build_spec import build
from sealcluster.cli.change import Wish, change, generation
from sealcluster.cli.documents import checked
from sealcluster.cli.here import enter
from sealcluster.cli.options import Common, Login, Output, Patience, Registries, Shape
from sealcluster.cli.records import Records, manifest


def run(ctx: typer.Context, shape: Shape, login: Login, registries: Registries, patience: Patience, output: Output, common: Common) -> None:
    """Make a cluster of bare machines; on a known one go on, and add what is new.

    The same command again continues after whatever happened. Images and machines that the cluster does not have yet join it.
    """
    here = enter(ctx, common)
    before = Records(common.root, shape.name).document()
    document = build(shape, manifest(before) if before else None, known_hosts=login.known_hosts is not None)
    change(here, "run", Wish(checked(document), login=login, registries=registries, basis=generation(before)), patience, output.output)
