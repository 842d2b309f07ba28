"""When the status writer writes, and what it does when it cannot."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from sealcluster.core.errors import TransientError
from sealcluster.kube.errors import Conflict, NotFound, Refused
from sealcluster.kube.status import MIN_INTERVAL, RETRY_AFTER, StatusWriter
from unit.kube.manual_clock import ManualClock, settle


class FakeClient:
    """Applies, or raises what the test prepared."""

    def __init__(self) -> None:
        self.applied: list[dict[str, Any]] = []
        self.failures: list[Exception] = []
        self.uid: Any = "u1"
        self.version = 1
        self.looked = 0

    async def apply(self, resource: object, body: dict[str, Any], namespace: str, *, subresource: str) -> dict[str, Any]:
        assert (namespace, subresource, body["metadata"]) == (
            "ns",
            "status",
            {"name": "demo", "namespace": "ns", "resourceVersion": str(self.version)},
        )
        if self.failures:
            raise self.failures.pop(0)
        self.applied.append(body["status"])
        self.version += 1
        return {"metadata": {"uid": "u1", "resourceVersion": str(self.version)}}

    async def find(self, resource: object, name: str, namespace: str) -> dict[str, Any] | None:
        self.looked += 1
        return self.uid and {"metadata": {"uid": self.uid, "resourceVersion": str(self.version)}}


def status(message: str = "m", ready: str = "False", done: int = 0, generation: int = 1) -> dict[str, Any]:
    condition = {"type": "Ready", "status": ready, "reason": "Provisioning", "message": message, "observedGeneration": generation}
    return {"observedGeneration": generation, "conditions": [condition], "progress": {"phase": "join", "done": done, "message": message}}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def client() -> FakeClient:
    return FakeClient()


def make(client: Any, clock: ManualClock, current: dict[str, Any] | None = None) -> StatusWriter:
    return StatusWriter(client, clock, "ns", "demo", "u1", current)


@pytest.fixture
async def writer(client: FakeClient, clock: ManualClock) -> AsyncIterator[StatusWriter]:
    async with make(client, clock) as running:
        yield running


async def test_the_first_status_is_written_at_once(writer: StatusWriter, client: FakeClient) -> None:
    writer.offer(status())
    await settle()
    assert client.applied == [status()]


async def test_texts_wait_and_only_the_newest_is_written(writer: StatusWriter, client: FakeClient, clock: ManualClock) -> None:
    writer.offer(status("a"))
    await settle()
    for text in "bcd":
        await clock.advance(MIN_INTERVAL / 4)
        writer.offer(status(text))
    await settle()
    assert client.applied == [status("a")]
    await clock.advance(MIN_INTERVAL / 4)
    assert client.applied == [status("a"), status("d")]


@pytest.mark.parametrize("urgent", [status(ready="True"), status(done=1), status(generation=2)])
async def test_what_matters_does_not_wait(writer: StatusWriter, client: FakeClient, urgent: dict[str, Any]) -> None:
    writer.offer(status())
    await settle()
    writer.offer(status("text"))
    await settle()
    assert len(client.applied) == 1
    writer.offer(urgent)
    await settle()
    assert client.applied == [status(), urgent]


async def test_an_unchanged_status_is_never_written(writer: StatusWriter, client: FakeClient, clock: ManualClock) -> None:
    for _ in range(5):
        writer.offer(status())
        await clock.advance(MIN_INTERVAL * 2)
    assert len(client.applied) == 1


async def test_what_the_object_has_already_is_not_written_after_a_restart(client: FakeClient, clock: ManualClock) -> None:
    async with make(client, clock, current=status()) as writer:
        writer.offer(status())
        await clock.advance(MIN_INTERVAL * 2)
    assert client.applied == []


@pytest.mark.parametrize("failure", [TransientError("etcd is down"), Refused("invalid", status=422)])
async def test_a_failed_write_is_repeated_with_what_is_newest_then(
    writer: StatusWriter, client: FakeClient, clock: ManualClock, failure: Exception
) -> None:
    client.failures = [failure, failure]
    writer.offer(status("a"))
    await settle()
    writer.offer(status("b", ready="True"))
    await clock.advance(RETRY_AFTER)
    assert client.applied == []
    await clock.advance(RETRY_AFTER)
    assert client.applied == [status("b", ready="True")]


@pytest.mark.parametrize("failure", [NotFound("gone"), Conflict("another version")])
@pytest.mark.parametrize("uid", [None, "u2"])
async def test_a_deleted_or_replaced_object_ends_it(
    writer: StatusWriter, client: FakeClient, clock: ManualClock, failure: Exception, uid: str | None
) -> None:
    writer.offer(status())
    await settle()
    client.failures, client.uid = [failure], uid
    writer.offer(status(ready="True"))
    await settle()
    assert writer.gone
    writer.offer(status(done=1))
    await clock.advance(100)
    assert client.applied == [status()]
    assert await writer.flush()


async def test_other_writers_of_the_object_are_no_trouble(writer: StatusWriter, client: FakeClient) -> None:
    client.failures = [Conflict("busy"), Conflict("busy"), Conflict("busy")]
    writer.offer(status())
    await settle()
    assert client.applied == [status()]


async def test_endless_conflicts_are_repeated_later(writer: StatusWriter, client: FakeClient, clock: ManualClock) -> None:
    client.failures = [Conflict("busy")] * 4
    writer.offer(status())
    await settle()
    assert client.applied == []
    await clock.advance(RETRY_AFTER)
    assert client.applied == [status()]


async def test_the_object_is_looked_up_once(writer: StatusWriter, client: FakeClient) -> None:
    for done in range(5):
        writer.offer(status(done=done))
        await settle()
    assert (len(client.applied), client.looked) == (5, 1)


async def test_leaving_writes_what_waits(client: FakeClient, clock: ManualClock) -> None:
    async with make(client, clock) as writer:
        writer.offer(status("a"))
        await settle()
        writer.offer(status("b"))
        await settle()
    assert client.applied == [status("a"), status("b")]


async def test_a_bug_in_the_writer_is_not_silent(client: FakeClient, clock: ManualClock) -> None:
    client.failures = [RuntimeError("a bug")]
    with pytest.raises(RuntimeError, match="a bug"):
        async with make(client, clock) as writer:
            writer.offer(status())
            await settle()
            writer.offer(status("b"))
