"""`sealcluster version`."""

from __future__ import annotations

import platform
from importlib import metadata

import typer

from sealcluster.api import API_VERSION
from sealcluster.cli.here import emit
from sealcluster.cli.options import Format, Output


def version(output: Output) -> None:
    """Print the version of this program."""
    own = metadata.version("sealcluster")
    if output.output is Format.TEXT:
        typer.echo(f"sealcluster {own}")
    else:
        emit({"version": own, "apiVersion": API_VERSION, "python": platform.python_version()}, output.output)
