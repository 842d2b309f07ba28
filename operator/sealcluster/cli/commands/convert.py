"""`sealcluster convert`: a sealos Clusterfile becomes a SealCluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sealcluster.cli.documents import checked
from sealcluster.cli.failures import say
from sealcluster.cli.here import emit
from sealcluster.cli.options import Format, Output
from sealcluster.cli.texts import read
from sealcluster.render.clusterfile_parse import parse_clusterfile


def convert(
    file: Annotated[Path, typer.Option("-f", "--file", metavar="FILE", help="sealos Clusterfile; - reads standard input.")],
    output: Output,
) -> None:
    """Print the SealCluster that a sealos Clusterfile describes; what a person should know goes to standard error.

    Passwords and keys are not carried over: the Secrets to make are listed.
    """
    converted = parse_clusterfile(read(file))
    document = converted.manifest()
    checked(document)
    emit(document, Format.YAML if output.output is Format.TEXT else output.output)
    for note in converted.notes:
        say(f"note: {note}")
    for secret in converted.secrets:
        say(f"make the Secret {secret.name} with {', '.join(secret.keys)} (from {secret.why})")
