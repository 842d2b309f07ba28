"""Events in the order in which they make sense: an old object's last words do not end the new one of its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sealcluster.controller.supervisor_port import SupervisorPort


class EventRouter:
    """Hands objects to the supervisor.

    The watcher keeps the order of events per UID only. Of two objects with one name the one that was created later is the living one.
    """

    def __init__(self, supervisor: SupervisorPort) -> None:
        self._supervisor = supervisor
        self._living: dict[tuple[str, str], tuple[str, str]] = {}
        """(creation time, UID) by namespace and name."""

    def deliver(self, kind: str | None, body: Mapping[str, Any]) -> None:
        """`kind` is the watch event's type; None: seen in a list."""
        metadata = body["metadata"]
        key = (str(metadata["namespace"]), str(metadata["name"]))
        identity = (str(metadata.get("creationTimestamp") or ""), str(metadata["uid"]))
        living = self._living.get(key)
        if kind == "DELETED":
            if living is None or living[1] == identity[1]:
                self._living.pop(key, None)
                self._supervisor.object_gone(*key)
            return
        if living is not None and living[1] != identity[1] and living[0] > identity[0]:
            return
        self._living[key] = identity
        self._supervisor.object_seen(body)
