"""The operator's shell around the supervisor: kopf on a real API server, restarts, probes, and what is left in the object."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from eventually import eventually
from labkit.crds import install
from sealab.plane import Plane
from sealcluster.controller.durations import Histogram
from sealcluster.controller.runner import Operator, build_operator
from sealcluster.controller.settings import Settings
from sealcluster.engine import Report
from sealcluster.kube.client import KubeClient
from sealcluster.kube.resources import NAMESPACES, SEALCLUSTERS
from sealcluster.kube.transport import Transport

ROOT = Path(__file__).parents[2]
FINALIZER = "sealcluster.io/finalizer"
NUMBERS = count()


class Recorder:
    """A supervisor that only remembers."""

    def __init__(self) -> None:
        self.seen: list[Mapping[str, Any]] = []
        self.gone: list[str] = []
        self.closed = False
        self.healthy = True

    def object_seen(self, body: Mapping[str, Any]) -> None:
        self.seen.append(body)

    def object_gone(self, namespace: str, name: str) -> None:
        self.gone.append(f"{namespace}/{name}")

    def traffic(self) -> Mapping[str, int]:
        return {}

    def durations(self) -> Mapping[tuple[str, str], Histogram]:
        return {}

    def reports(self) -> Sequence[Report]:
        return ()

    async def close(self) -> None:
        self.closed = True

    async def saw(self, name: str, **wanted: Any) -> Mapping[str, Any]:
        """Wait for an event of this object whose metadata has these values (True: any)."""

        async def probe() -> Mapping[str, Any] | None:
            for body in self.seen:
                metadata = body["metadata"]
                if metadata["name"] == name and all(metadata.get(k) == v or (v is True and k in metadata) for k, v in wanted.items()):
                    return body
            return None

        return await eventually(probe, f"an event of {name} with {wanted}")  # type: ignore[return-value]  # eventually returns true values only


@asynccontextmanager
async def operator(plane: Plane, *namespaces: str) -> AsyncIterator[tuple[Recorder, Operator]]:
    recorder = Recorder()

    async def factory(client: KubeClient) -> Recorder:
        return recorder

    settings = Settings(kubeconfig=plane.kubeconfig, namespaces=namespaces, listen_address="127.0.0.1", listen_port=0, exit_seconds=20)
    running = build_operator(factory, settings)
    stop = asyncio.Event()
    task = asyncio.create_task(running.run(stop))
    try:
        yield recorder, running
    finally:
        stop.set()
        await task
        assert recorder.closed or not recorder.seen


@pytest.fixture(scope="module")
def plane(module_plane: Plane) -> Plane:
    install(module_plane)
    return module_plane


@pytest.fixture
async def client(plane: Plane) -> AsyncIterator[KubeClient]:
    transport = await Transport.from_file(plane.kubeconfig)
    yield KubeClient(transport)
    await transport.close()


def body(**metadata: Any) -> dict[str, Any]:
    loaded: dict[str, Any] = next(
        item for item in yaml.safe_load_all((ROOT / "examples/minimal.yaml").read_text()) if item["kind"] == "SealCluster"
    )
    return {**loaded, "metadata": {"name": f"demo-{next(NUMBERS)}", **metadata}}


async def get(port: int, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as response:
        return response.status, await response.text()


async def ready(running: Operator) -> bool:
    return running.port != 0 and (await get(running.port, "/readyz"))[0] == 200


async def test_created_edited_and_deleted_objects_arrive(plane: Plane, client: KubeClient) -> None:
    wanted = body()
    name = wanted["metadata"]["name"]
    async with operator(plane) as (recorder, _):
        made = await client.create(SEALCLUSTERS, wanted, "default")
        first = await recorder.saw(name)
        assert first["metadata"]["uid"] == made["metadata"]["uid"]
        assert first["spec"]["hosts"][0]["name"] == wanted["spec"]["hosts"][0]["name"]
        await client.patch(SEALCLUSTERS, name, {"spec": {"paused": True}}, "default")
        edited = await recorder.saw(name, generation=made["metadata"]["generation"] + 1)
        assert edited["spec"]["paused"] is True
        await client.delete(SEALCLUSTERS, name, "default")

        async def gone() -> bool:
            return f"default/{name}" in recorder.gone

        await eventually(gone, "the end of the object")


async def test_kopf_leaves_nothing_in_the_object_and_our_finalizer_alone(plane: Plane, client: KubeClient) -> None:
    wanted = body(finalizers=[FINALIZER], annotations={"theirs": "1"})
    name = wanted["metadata"]["name"]
    async with operator(plane) as (recorder, _):
        made = await client.create(SEALCLUSTERS, wanted, "default")
        await recorder.saw(name)
        edited = await client.patch(SEALCLUSTERS, name, {"spec": {"paused": True}}, "default")
        await recorder.saw(name, resourceVersion=edited["metadata"]["resourceVersion"])
        # An event of a later object was handled: whatever kopf wants to do to this one, it did.
        later = await client.create(SEALCLUSTERS, body(), "default")
        await recorder.saw(later["metadata"]["name"])
    found = await client.get(SEALCLUSTERS, name, "default")
    assert found["metadata"]["finalizers"] == [FINALIZER]
    assert found["metadata"]["annotations"] == {"theirs": "1"}
    assert found["metadata"]["resourceVersion"] == edited["metadata"]["resourceVersion"], "something wrote the object"
    assert {entry["manager"] for entry in found["metadata"]["managedFields"]} == {"sealcluster"}
    assert made["metadata"]["uid"] == found["metadata"]["uid"]
    await client.patch(SEALCLUSTERS, name, {"metadata": {"finalizers": None}}, "default")


async def test_an_object_that_was_deleted_while_the_operator_was_down_still_arrives(plane: Plane, client: KubeClient) -> None:
    wanted = body(finalizers=[FINALIZER])
    name = wanted["metadata"]["name"]
    await client.create(SEALCLUSTERS, wanted, "default")
    async with operator(plane) as (recorder, _):
        await recorder.saw(name)
    await client.delete(SEALCLUSTERS, name, "default")
    for _attempt in range(2):
        async with operator(plane) as (recorder, _):
            await recorder.saw(name, deletionTimestamp=True, finalizers=[FINALIZER])
    async with operator(plane) as (recorder, _):
        await recorder.saw(name, deletionTimestamp=True)
        await client.patch(SEALCLUSTERS, name, {"metadata": {"finalizers": None}}, "default")

        async def gone() -> bool:
            return f"default/{name}" in recorder.gone

        await eventually(gone, "the end of the object")
    assert await client.find(SEALCLUSTERS, name, "default") is None


async def test_only_the_given_namespaces_are_watched(plane: Plane, client: KubeClient) -> None:
    for name in ("watched", "other"):
        await client.create(NAMESPACES, {"metadata": {"name": name}})
    outside, inside = body(), body()
    await client.create(SEALCLUSTERS, outside, "other")
    async with operator(plane, "watched") as (recorder, _):
        await client.create(SEALCLUSTERS, inside, "watched")
        await recorder.saw(inside["metadata"]["name"])
    assert {seen["metadata"]["namespace"] for seen in recorder.seen} == {"watched"}


async def test_probes_and_metrics(plane: Plane) -> None:
    async with operator(plane) as (recorder, running):
        await eventually(lambda: ready(running), "readiness")
        assert await get(running.port, "/healthz") == (200, "ok")
        recorder.healthy = False
        assert (await get(running.port, "/healthz"))[0] == 503
        assert "process_resident_memory_bytes" in (await get(running.port, "/metrics"))[1]


async def test_it_waits_for_its_kind_to_be_installed(plane: Plane, client: KubeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sealcluster.controller.runner.CRD_POLL", 0.1)
    monkeypatch.setattr("sealcluster.controller.runner.RESTART_SECONDS", 0.1)
    await asyncio.to_thread(plane.kubectl, "delete", "-f", str(ROOT / "crds"))
    async with operator(plane) as (recorder, running):

        async def waiting() -> bool:
            return running.port != 0 and "not yet watched" in (await get(running.port, "/readyz"))[1]

        await eventually(waiting, "the probe to say so")
        assert (await get(running.port, "/healthz"))[0] == 200, "waiting is no reason to be killed"
        await asyncio.to_thread(install, plane)
        await eventually(lambda: ready(running), "readiness")
        wanted = body()
        await client.create(SEALCLUSTERS, wanted, "default")
        await recorder.saw(wanted["metadata"]["name"])


async def test_a_kind_that_was_removed_and_installed_again_is_watched_again(
    plane: Plane, client: KubeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sealcluster.controller.runner.CRD_POLL", 0.1)
    monkeypatch.setattr("sealcluster.controller.runner.RESTART_SECONDS", 0.1)
    async with operator(plane) as (recorder, running):
        await eventually(lambda: ready(running), "readiness")
        await asyncio.to_thread(plane.kubectl, "delete", "-f", str(ROOT / "crds"))
        await asyncio.to_thread(install, plane)
        wanted = body()
        await client.create(SEALCLUSTERS, wanted, "default")
        await recorder.saw(wanted["metadata"]["name"])
