"""`sealcluster apply`: make the cluster what the manifest says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sealcluster.cli.change import Wish, change
from sealcluster.cli.documents import read
from sealcluster.cli.here import enter
from sealcluster.cli.options import Common, Login, Output, Patience, Registries

Manifest = Annotated[
    Path,
    typer.Option(
        "-f", "--file", metavar="FILE", help="Manifest with one SealCluster, and its Secrets and ConfigMaps; - reads standard input."
    ),
]


def apply(
    ctx: typer.Context, file: Manifest, login: Login, registries: Registries, patience: Patience, output: Output, common: Common
) -> None:
    """Make the cluster what the manifest says, and remember the manifest: an edited one becomes exactly that change."""
    here = enter(ctx, common)
    manifests = read(file)
    change(here, "apply", Wish(manifests.cluster, manifests.texts, login, registries), patience, output.output)
