"""The wish of a command that takes either a manifest or the name of a known cluster."""

from __future__ import annotations

from pathlib import Path

from sealcluster.cli.change import Wish
from sealcluster.cli.documents import read
from sealcluster.cli.here import Here
from sealcluster.cli.options import Login, Registries
from sealcluster.core.errors import TerminalError


def wish_of(here: Here, cluster: str | None, file: Path | None, login: Login, registries: Registries) -> Wish:
    """What is wanted. TerminalError when both were given."""
    if file is None:
        return Wish(here.records(cluster).require(), login=login, registries=registries)
    if cluster is not None:
        raise TerminalError(
            f"reading the arguments: both cluster {cluster} and a manifest were given", reason="InvalidSpec", hint="give one of them"
        )
    manifests = read(file)
    return Wish(manifests.cluster, manifests.texts, login, registries)
