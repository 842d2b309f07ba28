"""`sealcluster gen`: the SealCluster that `run` would apply."""

from __future__ import annotations

import typer

from sealcluster.cli.build_spec import build
from sealcluster.cli.documents import checked
from sealcluster.cli.here import emit, enter
from sealcluster.cli.options import Common, Format, Output, Shape
from sealcluster.cli.records import Records, manifest


def gen(ctx: typer.Context, shape: Shape, output: Output, common: Common) -> None:
    """Print the SealCluster that `run` would apply. Nothing is looked at, nothing is stored."""
    enter(ctx, common)
    before = Records(common.root, shape.name).document()
    document = build(shape, manifest(before) if before else None)
    checked(document)
    emit(document, Format.YAML if output.output is Format.TEXT else output.output)
