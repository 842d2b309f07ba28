"""Events of two objects with one name, in every order."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from sealcluster.controller.durations import Histogram
from sealcluster.controller.router import EventRouter
from sealcluster.engine import Report

OLD = {"namespace": "ns", "name": "a", "uid": "u1", "creationTimestamp": "2026-01-01T00:00:00Z"}
NEW = {"namespace": "ns", "name": "a", "uid": "u2", "creationTimestamp": "2026-01-01T00:00:01Z"}


class Recorder:
    healthy = True

    def __init__(self) -> None:
        self.calls: list[str] = []

    def object_seen(self, body: Mapping[str, Any]) -> None:
        self.calls.append(body["metadata"]["uid"])

    def object_gone(self, namespace: str, name: str) -> None:
        self.calls.append(f"{namespace}/{name} gone")

    def traffic(self) -> Mapping[str, int]:
        return {}

    def durations(self) -> Mapping[tuple[str, str], Histogram]:
        return {}

    def reports(self) -> Sequence[Report]:
        return ()

    async def close(self) -> None:
        self.calls.append("closed")


@pytest.mark.parametrize(
    ("events", "calls"),
    [
        ([(None, OLD), ("MODIFIED", OLD), ("DELETED", OLD)], ["u1", "u1", "ns/a gone"]),
        ([("ADDED", OLD), ("DELETED", OLD), ("ADDED", NEW)], ["u1", "ns/a gone", "u2"]),
        ([("ADDED", OLD), ("ADDED", NEW), ("DELETED", OLD)], ["u1", "u2"]),
        ([("ADDED", NEW), ("MODIFIED", OLD), ("DELETED", OLD), ("MODIFIED", NEW)], ["u2", "u2"]),
        ([("DELETED", OLD)], ["ns/a gone"]),
        ([(None, OLD), (None, OLD)], ["u1", "u1"]),
    ],
)
def test_order(events: list[tuple[str | None, dict[str, str]]], calls: list[str]) -> None:
    recorder = Recorder()
    router = EventRouter(recorder)
    for kind, metadata in events:
        router.deliver(kind, {"metadata": metadata})
    assert recorder.calls == calls
