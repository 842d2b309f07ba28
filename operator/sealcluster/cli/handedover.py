"""The note in the state directory that a cluster is an operator's now: commands that change clusters leave it alone from then on."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from sealcluster.cli import localfiles
from sealcluster.core.errors import TerminalError

FILE = "handed-over.json"


@dataclass(frozen=True, slots=True)
class HandedOver:
    """Where the cluster went."""

    server: str
    namespace: str
    name: str
    complete: bool = False
    """False: a pivot began and did not end; the same pivot again finishes it."""

    def __str__(self) -> str:
        return f"SealCluster {self.namespace}/{self.name} at {self.server}"


def note(directory: Path, where: HandedOver) -> None:
    """Remember it."""
    localfiles.write(directory / FILE, json.dumps(asdict(where)).encode())


def forget(directory: Path) -> None:
    """It did not happen after all."""
    (directory / FILE).unlink(missing_ok=True)


def noted(directory: Path) -> HandedOver | None:
    """What was remembered."""
    data = localfiles.read(directory / FILE)
    return None if data is None else HandedOver(**json.loads(data))


def refuse(directory: Path, doing: str) -> None:
    """TerminalError when the cluster is (or is becoming) an operator's: two that work on one cluster would take it from each other."""
    where = noted(directory)
    if where is None:
        return
    if where.complete:
        raise TerminalError(
            f"{doing} {where.name}: it was handed over to {where}",
            reason="InvalidSpec",
            hint=f"change it there: kubectl -n {where.namespace} edit sealcluster {where.name}",
        )
    raise TerminalError(
        f"{doing} {where.name}: handing it over to {where} began and did not end",
        reason="InvalidSpec",
        hint=f"finish it: sealcluster pivot {where.name} -n {where.namespace} (or, if it is not there, remove {directory / FILE})",
    )
