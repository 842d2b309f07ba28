"""How long things take in the model: seeded, so that a run can be repeated exactly."""

from __future__ import annotations

import random
import zlib
from collections.abc import Mapping

RANGES: Mapping[str, tuple[float, float]] = {
    "connect": (0.03, 0.3),
    "facts": (0.05, 0.4),
    "start": (0.02, 0.2),
    "Claim": (0.05, 0.3),
    "InstallRootfs": (2.0, 12.0),
    "FetchParts": (1.0, 15.0),
    "CommitRegistry": (0.5, 6.0),
    "WriteHosts": (0.02, 0.2),
    "RunScript": (0.5, 8.0),
    "PrepareRegistry": (0.05, 0.3),
    "PullImages": (4.0, 40.0),
    "GenerateCSRs": (0.5, 3.0),
    "InstallCertificates": (0.1, 0.5),
    "KubeadmInit": (6.0, 25.0),
    "KubeadmJoin": (4.0, 30.0),
    "KubeadmReset": (1.0, 8.0),
    "PutFiles": (0.05, 0.4),
    "Guest": (1.0, 15.0),
    "EtcdMember": (0.2, 2.0),
    "StartUnits": (0.2, 2.0),
    "RestoreManifests": (0.05, 0.3),
    "CleanHost": (3.0, 15.0),
    "boot": (15.0, 90.0),
    "static-pods": (4.0, 15.0),
    "node-ready": (1.0, 8.0),
    "api-call": (0.01, 0.1),
    "image-pull": (0.5, 20.0),
    "learner-sync": (0.5, 4.0),
    "pod-eviction": (0.5, 5.0),
}
"""Kind of work to its shortest and longest duration in seconds; ops by their class name."""


class Timing:
    """Durations drawn from one seeded generator per key, so that a change in one place does not shift all others."""

    def __init__(self, seed: int, scale: float = 1.0) -> None:
        self.seed = seed
        self.scale = scale
        self._generators: dict[str, random.Random] = {}

    def sample(self, kind: str, who: str = "") -> float:
        """Seconds that this piece of work takes this time on this machine."""
        low, high = RANGES[kind]
        return self.generator(f"{kind}/{who}").uniform(low, high) * self.scale

    def generator(self, key: str) -> random.Random:
        """The generator of one concern."""
        if key not in self._generators:
            self._generators[key] = random.Random(zlib.crc32(f"{self.seed}/{key}".encode()))
        return self._generators[key]
