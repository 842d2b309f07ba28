"""What really happened, written by the model itself: the oracle that invariants are judged by."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

Start = tuple[str, str, str, int]
"""Machine and its era, step, digest, attempt."""


@dataclass
class Ledger:
    """Counts of everything that may happen once only, and each rule of the world that somebody broke."""

    starts: Counter[Start] = field(default_factory=Counter)
    successes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Machine and its era, step, digest: how many attempts ended with 0."""
    init_successes: Counter[str] = field(default_factory=Counter)
    """By cluster id (of the machine's owner file)."""
    init_starts: Counter[str] = field(default_factory=Counter)
    join_successes: Counter[str] = field(default_factory=Counter)
    """By machine."""
    guest_runs: Counter[str] = field(default_factory=Counter)
    """By the last element of the guest's working directory before `workdir`."""
    cas: dict[str, set[str]] = field(default_factory=dict)
    """By cluster id, the CA certificates that were ever put on a machine."""
    bytes_sent: Counter[str] = field(default_factory=Counter)
    """By machine, over SSH."""
    calls: Counter[str] = field(default_factory=Counter)
    """By machine: round trips of the operator."""
    trace: list[str] = field(default_factory=list)
    """One line per event, in order; equal for equal seeds."""
    violations: list[str] = field(default_factory=list)

    def note(self, now: float, text: str) -> None:
        """Remember an event."""
        self.trace.append(f"{now:12.3f} {text}")

    def violate(self, now: float, text: str) -> None:
        """Remember that a promise was broken."""
        self.note(now, "VIOLATION " + text)
        self.violations.append(text)

    def started(self, now: float, start: Start) -> None:
        """A job's wrapper began to run on a machine."""
        self.starts[start] += 1
        if self.starts[start] > 1:
            self.violate(now, f"attempt started {self.starts[start]} times: {start}")
