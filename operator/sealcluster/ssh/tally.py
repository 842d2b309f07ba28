"""What a process did over SSH so far."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """Counters that only grow; shared by all connections of a pool."""

    connections: int = 0
    """Logins that succeeded."""
    commands: int = 0
    """Commands that were started."""
