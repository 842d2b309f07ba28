"""What is wanted, as one value that may change while the engine works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sealcluster.api import SealClusterSpec


@dataclass(frozen=True, slots=True)
class Desired:
    """One generation of one SealCluster."""

    name: str
    namespace: str
    generation: int
    spec: SealClusterSpec
    deleting: bool = False
    annotations: Mapping[str, str] = field(default_factory=dict)
    retry: str = ""
    """Value of the retry annotation: a new one clears what the engine remembers of failures."""
