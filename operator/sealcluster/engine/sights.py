"""The last look at each machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sealcluster.core.facts import HostFacts
from sealcluster.core.plan import Problem


@dataclass
class Sight:
    """The last look at one host."""

    facts: HostFacts | None = None
    seen_at: tuple[str, int] = ("", 0)
    """Address and port at which they were seen."""
    error: Problem | None = None
    host_key: str = ""
    looked_at: float = 0.0
    """Steady seconds, as `retry_at`."""
    asked: int = 0
    """Looks that began; they may end in another order."""
    answered: int = 0
    """Number of the look that the rest is of."""
    where: tuple[str, int] = ("", 0)
    """Address and port at which `host_key` was shown."""
    failures: int = 0
    lost_at: float = 0.0
    """Steady seconds: when the first look in a row that failed began; counts only beside `error`."""
    retry_at: float = 0.0
    credentials: str = ""
    missing_certificates: tuple[str, ...] = ()
    expiry: float | None = None


class Seen(Mapping[str, HostFacts]):
    """Facts by host as they are at the time of asking: a copy for each question about one of 2,000 machines was most of a pass."""

    def __init__(self, sights: Mapping[str, Sight]) -> None:
        self._sights = sights

    def __getitem__(self, name: str) -> HostFacts:
        facts = self._sights[name].facts
        if facts is None:
            raise KeyError(name)
        return facts

    def __iter__(self) -> Iterator[str]:
        return (name for name, sight in self._sights.items() if sight.facts is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)
