"""The fake API server is as strict as the real one where it matters to a controller, and the real client cannot tell them apart."""

import asyncio
from itertools import count
from pathlib import Path

import pytest
import yaml

from contract_management import ManagementContract
from sealcluster.kube.client import JSON_PATCH, KubeClient
from sealcluster.kube.errors import Conflict, NotFound, Refused, Unavailable
from sealcluster.kube.management import KubeManagement
from sealcluster.kube.resources import CONFIGMAPS, SEALCLUSTERS, SECRETS
from sealcluster.kube.status import StatusWriter
from sealcluster.testing import clock, specs
from sealcluster.testing.fakekube import FakeKube
from sealcluster.testing.kubemodel.refusal import Refusal

CRD = Path(__file__).parents[2] / "crds" / "sealclusters.sealcluster.io.yaml"
NUMBERS = count()


class RealClock:
    def now(self):
        return 1_800_000_000.0 + next(NUMBERS)

    async def sleep(self, seconds):
        await asyncio.sleep(seconds)


@pytest.fixture
def server():
    return FakeKube(RealClock(), CRD, latency=0)


@pytest.fixture
def client(server):
    return KubeClient(server, attempts=3, patience=2.0)


def body(name="demo", **spec):
    wish = specs.spec(1, 1).model_dump(mode="json", by_alias=True, exclude_unset=True)
    return {"metadata": {"name": name}, "spec": wish | spec}


class TestManagementOnFakeKube(ManagementContract):
    """The adapter that talks to real API servers, on the fake one."""

    @pytest.fixture
    def management(self, client):
        return KubeManagement(client, "tenant", "demo")

    @pytest.fixture
    def again(self, client):
        return KubeManagement(client, "tenant", "demo")

    @pytest.fixture
    def put(self, client):
        async def store(kind, name, data):
            if kind == "Secret":
                await client.delete(SECRETS, name, "tenant")
                await client.create(SECRETS, {"metadata": {"name": name}, "stringData": dict(data)}, "tenant")
            else:
                await client.create(CONFIGMAPS, {"metadata": {"name": name}, "data": dict(data)}, "tenant")

        return store


async def test_defaults_of_our_crd_are_filled_in_and_unknown_fields_pruned(client):
    made = await client.create(SEALCLUSTERS, body(surprise=1), "tenant")
    assert made["spec"]["registry"] == {"domain": "sealos.hub", "port": 5000, "distribution": "Sync"}
    assert made["spec"]["hosts"][0]["roles"] == ["master"]
    assert "surprise" not in made["spec"]
    assert made["metadata"]["generation"] == 1
    assert made["status"]["observedGeneration"] == -1


async def test_what_the_schema_refuses_names_the_field(client):
    with pytest.raises(Refused, match=r"spec\.hosts\[0\]\.name"):
        await client.create(SEALCLUSTERS, body(hosts=[specs.host("Not_A_Name", 1, "master")]), "tenant")
    two = [specs.host("m1", 1, "master"), specs.host("m1", 2, "node")]
    with pytest.raises(Refused, match="Duplicate value"):
        await client.create(SEALCLUSTERS, body(hosts=two), "tenant")


async def test_status_and_spec_have_separate_doors(client):
    made = await client.create(SEALCLUSTERS, body(), "tenant")
    after = await client.patch(SEALCLUSTERS, "demo", {"status": {"phase": "Smuggled"}}, "tenant")
    assert after == made
    status = {"status": {"phase": "Ready", "observedGeneration": 1}, "spec": {"paused": True}}
    after = await client.patch(SEALCLUSTERS, "demo", status, "tenant", subresource="status")
    assert (after["status"]["phase"], after["spec"]["paused"], after["metadata"]["generation"]) == ("Ready", False, 1)
    after = await client.patch(SEALCLUSTERS, "demo", {"spec": {"paused": True}}, "tenant")
    assert after["metadata"]["generation"] == 2
    assert after["status"]["phase"] == "Ready"
    after = await client.patch(SEALCLUSTERS, "demo", {"metadata": {"labels": {"a": "b"}}}, "tenant")
    assert after["metadata"]["generation"] == 2


async def test_a_write_that_changes_nothing_makes_no_new_version(client):
    made = await client.create(SEALCLUSTERS, body(), "tenant")
    again = await client.patch(SEALCLUSTERS, "demo", {"spec": {"paused": False}}, "tenant")
    assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


async def test_old_versions_conflict(client):
    made = await client.create(SEALCLUSTERS, body(), "tenant")
    old = made["metadata"]["resourceVersion"]
    await client.patch(SEALCLUSTERS, "demo", {"spec": {"paused": True}}, "tenant")
    with pytest.raises(Conflict):
        await client.patch(SEALCLUSTERS, "demo", {"metadata": {"resourceVersion": old}, "spec": {"paused": False}}, "tenant")
    steps = [
        {"op": "test", "path": "/metadata/resourceVersion", "value": old},
        {"op": "add", "path": "/metadata/finalizers", "value": ["x/y"]},
    ]
    with pytest.raises(Conflict):
        await client.patch(SEALCLUSTERS, "demo", steps, "tenant", content_type=JSON_PATCH)


async def test_finalizers_hold_an_object_and_no_new_ones_come_late(client):
    made = await client.create(SEALCLUSTERS, body(), "tenant")
    await client.patch(SEALCLUSTERS, "demo", {"metadata": {"finalizers": ["sealcluster.io/a"]}}, "tenant")
    assert await client.delete(SEALCLUSTERS, "demo", "tenant", uid=made["metadata"]["uid"])
    held = await client.get(SEALCLUSTERS, "demo", "tenant")
    assert "deletionTimestamp" in held["metadata"]
    assert held["metadata"]["generation"] == 2
    with pytest.raises(Refused, match="no new finalizers"):
        await client.patch(SEALCLUSTERS, "demo", {"metadata": {"finalizers": ["sealcluster.io/a", "b/c"]}}, "tenant")
    await client.patch(SEALCLUSTERS, "demo", {"metadata": {"finalizers": []}}, "tenant")
    with pytest.raises(NotFound):
        await client.get(SEALCLUSTERS, "demo", "tenant")


async def test_delete_with_another_uid_is_refused(client):
    await client.create(SEALCLUSTERS, body(), "tenant")
    with pytest.raises(Conflict):
        await client.delete(SEALCLUSTERS, "demo", "tenant", uid="somebody-else")


def condition(kind, status="True", **more):
    return {"type": kind, "status": status, "reason": "R", "message": "m", "lastTransitionTime": "2026-01-01T00:00:00Z", **more}


async def test_apply_owns_rows_by_their_key_and_drops_what_it_no_longer_names(client):
    await client.create(SEALCLUSTERS, body(), "tenant")

    async def apply(manager, *conditions):
        status = {"metadata": {"name": "demo"}, "status": {"conditions": list(conditions)}}
        return await client.apply(SEALCLUSTERS, status, "tenant", subresource="status", manager=manager)

    await apply("ours", condition("Ready"), condition("Stalled", "False"))
    await apply("theirs", condition("Approved"))
    after = await apply("ours", condition("Ready", "False"))
    assert {c["type"]: c["status"] for c in after["status"]["conditions"]} == {"Ready": "False", "Approved": "True"}


async def test_apply_without_force_meets_the_other_owner(client, server):
    await client.create(SEALCLUSTERS, body(), "tenant")
    status = {"metadata": {"name": "demo"}, "status": {"phase": "Ready"}}
    await client.apply(SEALCLUSTERS, status, "tenant", subresource="status", manager="ours")
    kind, key = server.store.kinds["sealclusters"], ("sealclusters", "tenant", "demo")
    with pytest.raises(Refusal, match="conflict with"):
        server.store.apply(kind, key, {"status": {"phase": "Mine"}}, "theirs", force=False, subresource="status")
    assert server.store.apply(kind, key, {"status": {"phase": "Ready"}}, "theirs", force=False, subresource="status")


async def test_lists_come_in_pages(client):
    for number in range(7):
        await client.create(CONFIGMAPS, {"metadata": {"name": f"c{number}", "labels": {"odd": str(number % 2)}}}, "tenant")
    names = [o["metadata"]["name"] async for o in client.pages(CONFIGMAPS, "tenant", page=3)]
    assert names == [f"c{n}" for n in range(7)]
    assert [o["metadata"]["name"] async for o in client.pages(CONFIGMAPS, "tenant", labels="odd=1")] == ["c1", "c3", "c5"]


async def test_a_watch_sees_everything_in_order_and_expires(client, server):
    seen = []

    async def follow():
        async for event, found in server.watch("configmaps", "tenant", since=server.store.version):
            seen.append((event, found["metadata"]["name"]))

    task = asyncio.create_task(follow())
    await asyncio.sleep(0)
    await client.create(CONFIGMAPS, {"metadata": {"name": "a"}}, "tenant")
    await client.create(CONFIGMAPS, {"metadata": {"name": "elsewhere"}}, "other")
    await client.patch(CONFIGMAPS, "a", {"data": {"k": "v"}}, "tenant")
    await client.delete(CONFIGMAPS, "a", "tenant")
    for _ in range(20):
        await asyncio.sleep(0)
    assert seen == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]
    await client.create(CONFIGMAPS, {"metadata": {"name": "b"}}, "tenant")
    server.store.compact()
    with pytest.raises(Refusal) as error:
        async for _ in server.watch("configmaps", "tenant", since=1):
            pass
    assert error.value.code == 410
    task.cancel()


async def test_trouble_on_demand(client, server):
    await client.create(CONFIGMAPS, {"metadata": {"name": "a"}}, "tenant")
    server.broken = 1
    assert (await client.get(CONFIGMAPS, "a", "tenant"))["metadata"]["name"] == "a"
    server.deaf = 1
    with pytest.raises(Conflict) as lost:
        await client.create(CONFIGMAPS, {"metadata": {"name": "b"}}, "tenant")
    assert lost.value.after_lost_reply
    server.forbidden.add(("GET", "configmaps"))
    with pytest.raises(Refused, match="forbidden"):
        await client.get(CONFIGMAPS, "a", "tenant")
    server.forbidden.clear()
    server.down = True
    with pytest.raises(Unavailable):
        await client.get(CONFIGMAPS, "a", "tenant")


def test_the_real_status_writer_in_virtual_time():
    async def main():
        server = FakeKube(clock.VirtualClock(), CRD)
        client = KubeClient(server)
        made = await client.create(SEALCLUSTERS, body(), "tenant")
        async with StatusWriter(client, clock.VirtualClock(), "tenant", "demo", made["metadata"]["uid"]) as writer:
            for number in range(100):
                writer.offer({"observedGeneration": 1, "conditions": [condition("Ready", "False", message=f"step {number}")]})
                await asyncio.sleep(1)
                server.interfere = number % 2
        writes = [path for method, path in server.requests if method == "PATCH"]
        found = await client.get(SEALCLUSTERS, "demo", "tenant")
        return len(writes), found["status"]["conditions"][0]["message"]

    writes, message = clock.run(main())
    assert message == "step 99"
    assert writes < 60


def test_our_crd_is_what_the_models_accept():
    assert yaml.safe_load(CRD.read_text())["spec"]["names"]["plural"] == "sealclusters"
