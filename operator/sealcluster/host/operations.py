"""From the verbs of `core.ops` to scripts: one entry per verb says which script runs and what it finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sealcluster.core import ops
from sealcluster.core.errors import TerminalError
from sealcluster.host.staging import Inputs

_BUILDERS: dict[type, tuple[str, Callable[[Any], Inputs]]] = {}


@dataclass(frozen=True, slots=True)
class Recipe:
    """The script of an op, by name, and its inputs."""

    script: str
    inputs: Inputs


def recipe(op: ops.Op) -> Recipe:
    """How this op is done."""
    found = _BUILDERS.get(type(op))
    if found is None:
        raise TerminalError(f"doing {type(op).__name__} on a host: this release cannot")
    script, build = found
    return Recipe(script, build(op))


def _claim(op: ops.Claim) -> Inputs:
    return Inputs({"cluster": op.cluster_id, "name": op.name, "hostname": op.hostname or ""})


def _put_files(op: ops.PutFiles) -> Inputs:
    return Inputs({"remove": op.remove}).put_files(op.files)


_BUILDERS |= {
    ops.Claim: ("op_claim", _claim),
    ops.PutFiles: ("op_put_files", _put_files),
}
