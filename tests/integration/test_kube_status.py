"""Status and events on a real API server with the real CRD."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml

from labkit.crds import install
from sealab.plane import Plane
from sealcluster.kube.client import KubeClient
from sealcluster.kube.errors import Conflict, Refused
from sealcluster.kube.events import EventRecorder
from sealcluster.kube.resources import EVENTS, SEALCLUSTERS
from sealcluster.kube.status import StatusWriter
from sealcluster.kube.transport import Transport

ROOT = Path(__file__).parents[2]
NUMBERS = count()


class SystemClock:
    def now(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@pytest.fixture(scope="module")
def plane(module_plane: Plane) -> Plane:
    install(module_plane)
    return module_plane


@pytest.fixture
async def client(plane: Plane) -> AsyncIterator[KubeClient]:
    transport = await Transport.from_file(plane.kubeconfig)
    yield KubeClient(transport)
    await transport.close()


@pytest.fixture
async def body() -> dict[str, Any]:
    loaded: dict[str, Any] = next(
        item for item in yaml.safe_load_all((ROOT / "examples/minimal.yaml").read_text()) if item["kind"] == "SealCluster"
    )
    loaded["metadata"] = {"name": f"demo-{next(NUMBERS)}"}
    return loaded


@pytest.fixture
async def cluster(client: KubeClient, body: dict[str, Any]) -> dict[str, Any]:
    return await client.create(SEALCLUSTERS, body, "default")


def writer(client: KubeClient, cluster: dict[str, Any], current: dict[str, Any] | None = None) -> StatusWriter:
    return StatusWriter(client, SystemClock(), "default", cluster["metadata"]["name"], cluster["metadata"]["uid"], current)


def status(ready: str = "False", **more: Any) -> dict[str, Any]:
    condition = {"type": "Ready", "status": ready, "reason": "Provisioning", "message": "m", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    return {"observedGeneration": 1, "conditions": [condition], **more}


async def stored(client: KubeClient, cluster: dict[str, Any]) -> dict[str, Any]:
    return await client.get(SEALCLUSTERS, cluster["metadata"]["name"], "default")


async def test_status_is_applied_whole_and_owned_by_us(client: KubeClient, cluster: dict[str, Any]) -> None:
    assert cluster["status"] == {"observedGeneration": -1}
    async with writer(client, cluster, cluster["status"]) as statuses:
        statuses.offer(status(phase="Provisioning", version="v1.34.4"))
        assert await statuses.flush()
        statuses.offer(status("True", phase="Ready"))
    found = await stored(client, cluster)
    assert found["status"] == status("True", phase="Ready"), "what is no longer reported goes away"
    owner = next(entry for entry in found["metadata"]["managedFields"] if entry.get("subresource") == "status")
    assert (owner["manager"], owner["operation"]) == ("sealcluster", "Apply")
    assert found["metadata"]["generation"] == cluster["metadata"]["generation"]


async def test_conditions_of_others_survive(client: KubeClient, cluster: dict[str, Any]) -> None:
    theirs = {"type": "Theirs", "status": "True", "reason": "X", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    metadata = {"name": cluster["metadata"]["name"]}
    await client.apply(
        SEALCLUSTERS, {"metadata": metadata, "status": {"conditions": [theirs]}}, "default", subresource="status", manager="somebody"
    )
    async with writer(client, cluster) as statuses:
        statuses.offer(status())
    assert {c["type"] for c in (await stored(client, cluster))["status"]["conditions"]} == {"Ready", "Theirs"}


async def test_a_restarted_operator_writes_nothing_when_nothing_changed(client: KubeClient, cluster: dict[str, Any]) -> None:
    async with writer(client, cluster) as statuses:
        statuses.offer(status())
    before = await stored(client, cluster)
    async with writer(client, cluster) as statuses:
        statuses.offer(status())
    after = await stored(client, cluster)
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


async def test_a_status_never_lands_on_a_new_object_of_the_same_name(
    client: KubeClient, cluster: dict[str, Any], body: dict[str, Any]
) -> None:
    await client.delete(SEALCLUSTERS, cluster["metadata"]["name"], "default")
    async with writer(client, cluster) as gone:
        gone.offer(status())
    assert gone.gone
    assert await client.find(SEALCLUSTERS, cluster["metadata"]["name"], "default") is None, "applying must not create"
    again = await client.create(SEALCLUSTERS, body, "default")
    async with writer(client, cluster) as replaced:
        replaced.offer(status("True"))
    assert replaced.gone
    assert (await stored(client, again))["status"] == {"observedGeneration": -1}


async def test_a_status_that_the_schema_refuses_is_a_clear_failure(
    client: KubeClient, cluster: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    async with writer(client, cluster) as statuses:
        statuses.offer({"observedGeneration": "one"})
        assert not await statuses.flush()
        statuses.offer(status())
    assert "observedGeneration" in caplog.text
    assert (await stored(client, cluster))["status"] == status()


async def test_a_finalizer_by_json_patch_with_a_version_test(client: KubeClient, cluster: dict[str, Any]) -> None:
    metadata = cluster["metadata"]
    patch = [
        {"op": "test", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
        {"op": "add", "path": "/metadata/finalizers", "value": ["sealcluster.io/finalizer"]},
    ]
    await client.patch(SEALCLUSTERS, metadata["name"], patch, "default")
    with pytest.raises(Conflict):
        await client.patch(SEALCLUSTERS, metadata["name"], patch, "default")
    wrong = [{"op": "test", "path": "/metadata/name", "value": metadata["name"]}, {"op": "add", "path": "/spec/hosts", "value": "bogus"}]
    with pytest.raises(Refused, match=r"spec\.hosts"):
        await client.patch(SEALCLUSTERS, metadata["name"], wrong, "default")
    await client.delete(SEALCLUSTERS, metadata["name"], "default")
    held = await stored(client, cluster)
    assert held["metadata"]["deletionTimestamp"]
    await client.patch(SEALCLUSTERS, metadata["name"], {"metadata": {"finalizers": None}}, "default")
    assert await client.find(SEALCLUSTERS, metadata["name"], "default") is None


async def test_events_are_shown_by_kubectl_and_counted(
    plane: Plane, client: KubeClient, cluster: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sealcluster.kube.events.SERIES_INTERVAL", 0.0)
    metadata = cluster["metadata"]
    recorder = EventRecorder(client, SystemClock(), "default", metadata["name"], metadata["uid"], "pod-a")
    for _ in range(3):
        await recorder.warning("HostUnreachable", "host w1 does not answer")
    found = [e async for e in client.pages(EVENTS, "default") if e["regarding"]["name"] == metadata["name"]]
    assert [(e["reason"], e["series"]["count"]) for e in found] == [("HostUnreachable", 3)]
    described = await asyncio.to_thread(plane.kubectl, "describe", "sealcluster", metadata["name"])
    assert "host w1 does not answer" in described.stdout
    listed = await asyncio.to_thread(plane.kubectl, "get", "events", "-o", "json")
    assert any(e["involvedObject"]["uid"] == metadata["uid"] for e in json.loads(listed.stdout)["items"])
