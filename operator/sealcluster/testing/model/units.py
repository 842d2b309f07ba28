"""systemd units of one machine, as far as a cluster depends on them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Unit:
    """One service."""

    state: str = "inactive"
    enabled: bool = False
    since: float = 0.0
    """Virtual time at which it became what it is."""


@dataclass
class Units:
    """All services by name."""

    table: dict[str, Unit] = field(default_factory=dict)

    def install(self, name: str) -> None:
        """Put a unit file in place; an existing unit stays as it is."""
        self.table.setdefault(name, Unit())

    def start(self, name: str, now: float, *, enable: bool = True) -> bool:
        """Start (and enable) a service; False when there is no such unit."""
        unit = self.table.get(name)
        if unit is None:
            return False
        if unit.state != "active":
            unit.state, unit.since = "active", now
        unit.enabled = unit.enabled or enable
        return True

    def stop(self, name: str, now: float, *, failed: bool = False) -> None:
        """Stop a service, if it is there."""
        unit = self.table.get(name)
        if unit is not None and unit.state == "active":
            unit.state, unit.since = ("failed" if failed else "inactive"), now

    def remove(self, name: str) -> None:
        """Stop a service and remove its unit file."""
        self.table.pop(name, None)

    def active(self, name: str) -> bool:
        """True while it runs."""
        unit = self.table.get(name)
        return unit is not None and unit.state == "active"

    def since(self, name: str) -> float:
        """When it started; infinity while it does not run."""
        unit = self.table.get(name)
        return unit.since if unit is not None and unit.state == "active" else float("inf")

    def power_lost(self, now: float) -> None:
        """Everything stops."""
        for unit in self.table.values():
            unit.state, unit.since = "inactive", now

    def booted(self, now: float) -> None:
        """Everything that is enabled starts."""
        for unit in self.table.values():
            if unit.enabled:
                unit.state, unit.since = "active", now
