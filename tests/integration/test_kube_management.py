"""The records as Secrets, on a real API server."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from contract_management import AUTHORITIES, RECORD, ManagementContract, Put
from sealab.plane import Plane
from sealcluster.core.errors import StateConflict, TerminalError
from sealcluster.kube.client import KubeClient
from sealcluster.kube.management import KubeManagement
from sealcluster.kube.records import FINALIZER
from sealcluster.kube.resources import CONFIGMAPS, NAMESPACES, SECRETS
from sealcluster.kube.transport import Transport

NUMBERS = count()


@pytest.fixture
async def client(module_plane: Plane) -> AsyncIterator[KubeClient]:
    transport = await Transport.from_file(module_plane.kubeconfig)
    yield KubeClient(transport)
    await transport.close()


@pytest.fixture
async def namespace(client: KubeClient) -> str:
    name = f"tenant-{next(NUMBERS)}"
    await client.create(NAMESPACES, {"metadata": {"name": name}})
    return name


@pytest.fixture
def management(client: KubeClient, namespace: str) -> KubeManagement:
    return KubeManagement(client, namespace, "demo")


@pytest.fixture
async def again(module_plane: Plane, namespace: str) -> AsyncIterator[KubeManagement]:
    transport = await Transport.from_file(module_plane.kubeconfig)
    yield KubeManagement(KubeClient(transport), namespace, "demo")
    await transport.close()


@pytest.fixture
def put(client: KubeClient, namespace: str) -> Put:
    async def store(kind: str, name: str, data: Mapping[str, str]) -> None:
        if kind == "Secret":
            body: dict[str, Any] = {"metadata": {"name": name}, "stringData": dict(data)}
            await client.delete(SECRETS, name, namespace)
            await client.create(SECRETS, body, namespace)
        else:
            await client.create(CONFIGMAPS, {"metadata": {"name": name}, "data": dict(data)}, namespace)

    return store


async def secret(client: KubeClient, namespace: str, name: str) -> dict[str, Any]:
    return await client.get(SECRETS, name, namespace)


class TestKubeManagement(ManagementContract):
    async def test_the_records_are_guarded_labelled_and_owned_by_nobody(
        self, management: KubeManagement, client: KubeClient, namespace: str
    ) -> None:
        await management.save_state(RECORD, "")
        await management.create_pki(AUTHORITIES)
        await management.save_kubeconfig("text")
        found = {
            item["metadata"]["name"]: item async for item in client.pages(SECRETS, namespace, labels="sealcluster.io/cluster=demo", page=2)
        }
        assert sorted(found) == ["demo-ca", "demo-etcd", "demo-kubeconfig", "demo-proxy", "demo-registry", "demo-sa", "demo-state"]
        assert all("ownerReferences" not in item["metadata"] for item in found.values())
        assert {name for name, item in found.items() if item["metadata"].get("finalizers") == [FINALIZER]} == set(found) - {
            "demo-kubeconfig"
        }
        capi = {name: item for name, item in found.items() if item["type"] == "cluster.x-k8s.io/secret"}
        assert sorted(capi) == ["demo-ca", "demo-etcd", "demo-kubeconfig", "demo-proxy", "demo-sa"]
        assert all(item["metadata"]["labels"]["cluster.x-k8s.io/cluster-name"] == "demo" for item in capi.values())
        assert {name: sorted(item["data"]) for name, item in capi.items()} == {
            "demo-kubeconfig": ["value"],
            **{name: ["tls.crt", "tls.key"] for name in ("demo-ca", "demo-etcd", "demo-proxy", "demo-sa")},
        }

    async def test_a_deleted_record_stays_until_purge(self, management: KubeManagement, client: KubeClient, namespace: str) -> None:
        version = await management.save_state(RECORD, "")
        await management.create_pki(AUTHORITIES)
        for name in ("demo-state", "demo-ca"):
            await client.delete(SECRETS, name, namespace)
        record, version = await management.load_state()
        assert record == RECORD
        assert await management.load_pki() == AUTHORITIES
        await management.save_state(replace(RECORD, fence=9), version)
        await management.purge()
        assert [item async for item in client.pages(SECRETS, namespace)] == []

    async def test_a_finalizer_that_somebody_removed_comes_back_beside_theirs(
        self, management: KubeManagement, client: KubeClient, namespace: str
    ) -> None:
        await management.save_state(RECORD, "")
        await client.patch(SECRETS, "demo-state", {"metadata": {"finalizers": ["example.org/theirs"]}}, namespace)
        record, version = await management.load_state()
        assert record is not None
        version = await management.save_state(record, version)
        assert (await secret(client, namespace, "demo-state"))["metadata"]["finalizers"] == ["example.org/theirs", FINALIZER]
        await management.save_state(record, version)
        assert (await secret(client, namespace, "demo-state"))["metadata"]["finalizers"] == ["example.org/theirs", FINALIZER]

    async def test_a_missing_authority_is_named(self, management: KubeManagement, client: KubeClient, namespace: str) -> None:
        await management.create_pki(AUTHORITIES)
        await client.patch(SECRETS, "demo-etcd", {"metadata": {"finalizers": None}}, namespace)
        await client.delete(SECRETS, "demo-etcd", namespace)
        with pytest.raises(TerminalError, match=f"{namespace}/demo-etcd") as error:
            await management.load_pki()
        assert error.value.reason == "PKIMissing"

    @pytest.mark.parametrize("survived", range(7))
    async def test_creation_of_authorities_that_died_is_finished_by_the_next_load(
        self,
        management: KubeManagement,
        again: KubeManagement,
        client: KubeClient,
        namespace: str,
        survived: int,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Dies after `survived` of the six creations and the removal of the staged Secret."""
        remaining = iter(range(survived))

        def dying(method: str) -> None:
            real = getattr(KubeClient, method)

            async def one(self: KubeClient, *args: Any, **named: Any) -> Any:
                if self is client and next(remaining, None) is None:
                    raise asyncio.CancelledError
                return await real(self, *args, **named)

            monkeypatch.setattr(KubeClient, method, one)

        dying("create")
        dying("delete")
        with pytest.raises(asyncio.CancelledError):
            await management.create_pki(AUTHORITIES)
        assert await again.load_pki() == (AUTHORITIES if survived else None)
        assert await client.find(SECRETS, "demo-pki", namespace) is None

    async def test_authorities_that_the_user_brought_survive_purge(
        self, management: KubeManagement, client: KubeClient, namespace: str
    ) -> None:
        await management.create_pki(AUTHORITIES)
        theirs = {"metadata": {"labels": {"app.kubernetes.io/managed-by": "somebody"}}}
        await client.patch(SECRETS, "demo-ca", theirs, namespace)
        await management.purge()
        assert (await secret(client, namespace, "demo-ca"))["metadata"].get("finalizers") is None

    async def test_another_ones_kubeconfig_is_not_overwritten(self, management: KubeManagement, client: KubeClient, namespace: str) -> None:
        await client.create(SECRETS, {"metadata": {"name": "demo-kubeconfig"}, "stringData": {"value": "theirs"}}, namespace)
        with pytest.raises(TerminalError, match="demo-kubeconfig") as error:
            await management.save_kubeconfig("ours")
        assert error.value.reason == "StorageRefused"
        await management.purge()
        assert await management.load_kubeconfig() == "theirs"

    async def test_an_unchanged_kubeconfig_is_not_written(self, management: KubeManagement, client: KubeClient, namespace: str) -> None:
        await management.save_kubeconfig("text")
        before = (await secret(client, namespace, "demo-kubeconfig"))["metadata"]["resourceVersion"]
        await management.save_kubeconfig("text")
        assert (await secret(client, namespace, "demo-kubeconfig"))["metadata"]["resourceVersion"] == before

    async def test_a_secret_of_another_namespace_is_not_found(self, management: KubeManagement, client: KubeClient) -> None:
        await client.create(SECRETS, {"metadata": {"name": "elsewhere"}, "stringData": {"password": "x"}}, "default")
        with pytest.raises(TerminalError, match="elsewhere"):
            await management.credentials("elsewhere")
        await client.delete(SECRETS, "elsewhere", "default")

    @pytest.mark.parametrize("data", [{}, {"state.json": "{"}, {"state.json.gz": "no gzip"}])
    async def test_a_damaged_record_is_refused(
        self, management: KubeManagement, client: KubeClient, namespace: str, data: dict[str, str]
    ) -> None:
        await client.create(SECRETS, {"metadata": {"name": "demo-state"}, "stringData": data}, namespace)
        with pytest.raises(TerminalError, match="demo-state") as error:
            await management.load_state()
        assert error.value.reason == "StateUnreadable"
        with pytest.raises(StateConflict):
            await management.save_state(RECORD, "")

    async def test_kubectl_sees_what_we_wrote(self, management: KubeManagement, module_plane: Plane, namespace: str) -> None:
        await management.save_state(RECORD, "")
        shown = await asyncio.to_thread(module_plane.kubectl, "-n", namespace, "get", "secret", "demo-state", "-o", "json")
        assert json.loads(base64.b64decode(json.loads(shown.stdout)["data"]["state.json"]))["cluster_id"] == "c1"
