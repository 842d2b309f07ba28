"""How often an event is written."""

from typing import Any

import pytest

from sealcluster.core.errors import TransientError
from sealcluster.kube.errors import Conflict, NotFound
from sealcluster.kube.events import BURST, LONGEST_NOTE, REFILL, SAME_WITHIN, SERIES_INTERVAL, EventRecorder
from unit.kube.manual_clock import ManualClock


class FakeClient:
    def __init__(self) -> None:
        self.created: list[dict[str, Any]] = []
        self.patched: list[tuple[str, dict[str, Any]]] = []
        self.failure: Exception | None = None
        self.taken: set[str] = set()

    async def create(self, resource: object, body: dict[str, Any], namespace: str) -> None:
        if self.failure:
            raise self.failure
        if body["metadata"]["name"] in self.taken:
            raise Conflict("creating Event: it exists", exists=True)
        self.created.append(body)

    async def patch(self, resource: object, name: str, patch: dict[str, Any], namespace: str) -> None:
        if self.failure:
            raise self.failure
        self.patched.append((name, patch))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def client() -> FakeClient:
    return FakeClient()


@pytest.fixture
def recorder(client: Any, clock: ManualClock) -> EventRecorder:
    return EventRecorder(client, clock, "ns", "demo", "u1", "pod-a")


async def test_an_event_is_complete(recorder: EventRecorder, client: FakeClient) -> None:
    await recorder.warning("HostUnreachable", "host w1 does not answer")
    (event,) = client.created
    assert event["metadata"]["namespace"] == "ns"
    assert event["metadata"]["name"].startswith("demo.")
    assert event["eventTime"] == "1970-01-12T13:46:40.000000Z"
    assert event["regarding"] == {
        "apiVersion": "sealcluster.io/v1alpha1",
        "kind": "SealCluster",
        "namespace": "ns",
        "name": "demo",
        "uid": "u1",
    }
    assert (event["type"], event["reason"], event["note"]) == ("Warning", "HostUnreachable", "host w1 does not answer")
    assert event["reportingInstance"] == "pod-a"
    assert event["action"]


async def test_repetitions_are_counted_in_one_event(recorder: EventRecorder, client: FakeClient, clock: ManualClock) -> None:
    for _ in range(10):
        await recorder.normal("Provisioning", "same")
        clock.time += SERIES_INTERVAL / 4
    assert len(client.created) == 1
    name = client.created[0]["metadata"]["name"]
    assert [(n, patch["series"]["count"]) for n, patch in client.patched] == [(name, 5), (name, 9)]


async def test_after_long_enough_it_is_said_again(recorder: EventRecorder, client: FakeClient, clock: ManualClock) -> None:
    await recorder.normal("Provisioning", "same")
    clock.time += SAME_WITHIN
    await recorder.normal("Provisioning", "same")
    assert len(client.created) == 2


async def test_an_event_that_expired_is_said_again(recorder: EventRecorder, client: FakeClient, clock: ManualClock) -> None:
    await recorder.normal("Provisioning", "same")
    clock.time += SERIES_INTERVAL
    client.failure = NotFound("expired")
    await recorder.normal("Provisioning", "same")
    client.failure = None
    await recorder.normal("Provisioning", "same")
    assert len(client.created) == 2


async def test_what_an_earlier_process_said_is_counted_there(client: Any, clock: ManualClock) -> None:
    await EventRecorder(client, clock, "ns", "demo", "u1", "pod-a").warning("HostUnreachable", "same")
    name = client.created[0]["metadata"]["name"]
    client.taken.add(name)
    await EventRecorder(client, clock, "ns", "demo", "u1", "pod-b").warning("HostUnreachable", "same")
    assert len(client.created) == 1
    assert [(n, patch["series"]["count"]) for n, patch in client.patched] == [(name, 2)]


async def test_a_flood_is_cut(recorder: EventRecorder, client: FakeClient, clock: ManualClock) -> None:
    for n in range(BURST * 2):
        await recorder.normal("Provisioning", f"note {n}")
    assert (len(client.created), recorder.dropped) == (BURST, BURST)
    clock.time += REFILL
    await recorder.normal("Provisioning", "later")
    await recorder.normal("Provisioning", "too soon")
    assert len(client.created) == BURST + 1


async def test_a_failure_is_logged_and_not_raised(recorder: EventRecorder, client: FakeClient, caplog: pytest.LogCaptureFixture) -> None:
    client.failure = TransientError("creating Event: etcd is down")
    await recorder.normal("Provisioning", "same")
    assert "etcd is down" in caplog.text


async def test_a_long_note_is_cut(recorder: EventRecorder, client: FakeClient) -> None:
    await recorder.normal("Provisioning", "x" * 5000)
    assert len(client.created[0]["note"]) == LONGEST_NOTE
