"""A new cluster's API through its masters: a real API server, and masters that are down, hang, or are another cluster's."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from eventually import eventually
from sealab.plane import Plane
from sealcluster.core.errors import TransientError
from sealcluster.core.ports import PKI, Endpoint
from sealcluster.kube.client import KubeClient
from sealcluster.kube.resources import DEPLOYMENTS, NAMESPACES, NODES, PODS, SECRETS, Resource
from sealcluster.kube.secretdata import decode
from sealcluster.kube.transport import Transport
from sealcluster.kube.workload import PROBE_SECONDS, KubeWorkload
from sealcluster.kube.workloads import KubeWorkloads

NO_PKI = PKI(ca=("ca", ""), etcd=("", ""), proxy=("", ""), sa=("", ""))
BUDGETS = Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount")
TOKEN = "abcdef.0123456789abcdef"


class SystemClock:
    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> float:
        return time.time() + self.ahead

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


@pytest.fixture
async def client(module_plane: Plane) -> AsyncIterator[KubeClient]:
    transport = await Transport.from_file(module_plane.kubeconfig)
    yield KubeClient(transport)
    await transport.close()


@pytest.fixture
async def workloads(module_plane: Plane, clock: SystemClock) -> AsyncIterator[KubeWorkloads]:
    """Their kubeconfigs name a server that nobody uses: what counts is the endpoint, and the name in the certificate."""

    def kubeconfig_for(cluster: str, endpoint: Endpoint, domain: str, pki: PKI) -> str:
        config = yaml.safe_load(module_plane.kubeconfig.read_text())
        config["clusters"][0]["cluster"] |= {"server": "https://192.0.2.1:6443", "tls-server-name": domain}
        return yaml.safe_dump(config)

    made = KubeWorkloads(kubeconfig_for, clock)
    yield made
    await made.close()


@pytest.fixture
def master(module_plane: Plane) -> Endpoint:
    return Endpoint("m1", "127.0.0.1", urlsplit(module_plane.server).port or 0)


@pytest.fixture
def down() -> Endpoint:
    with socket.create_server(("127.0.0.1", 0)) as freed:
        return Endpoint("m2", "127.0.0.1", freed.getsockname()[1])


@pytest.fixture
def hanging() -> Iterator[Endpoint]:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield Endpoint("m3", "127.0.0.1", silent.getsockname()[1])


@pytest.fixture
def workload(workloads: KubeWorkloads, master: Endpoint) -> KubeWorkload:
    return workloads.open("demo", [master], "localhost", NO_PKI)


@pytest.fixture
async def node(client: KubeClient) -> AsyncIterator[dict[str, Any]]:
    made = await client.create(NODES, {"metadata": {"name": "w1", "labels": {"old": "1"}}})
    await client.patch(NODES, "w1", {"spec": {"taints": None}})
    yield made
    await client.delete(NODES, "w1")


async def test_facts(workload: KubeWorkload, client: KubeClient, node: dict[str, Any]) -> None:
    conditions = [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "ready"}]
    await client.patch(NODES, "w1", {"status": {"conditions": conditions}}, subresource="status")
    facts = await workload.facts()
    assert (facts.reachable, facts.ready_masters, facts.dns_ready) == (True, {"m1"}, True)
    assert (facts.nodes["w1"].uid, facts.nodes["w1"].ready) == (node["metadata"]["uid"], True)


async def test_dns_is_ready_when_one_of_its_pods_is(workload: KubeWorkload, client: KubeClient) -> None:
    labels = {"k8s-app": "kube-dns"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "coredns", "image": "coredns"}]}}
    body = {
        "metadata": {"name": "coredns", "labels": labels},
        "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": template},
    }
    await client.create(DEPLOYMENTS, body, "kube-system")
    assert not (await workload.facts()).dns_ready
    await client.delete(DEPLOYMENTS, "coredns", "kube-system")


async def test_masters_that_are_down_or_hang_cost_one_probe_and_are_named(
    workloads: KubeWorkloads, master: Endpoint, down: Endpoint, hanging: Endpoint
) -> None:
    workload = workloads.open("demo", [hanging, down, master], "localhost", NO_PKI)
    began = time.monotonic()
    facts = await workload.facts()
    assert (facts.reachable, facts.ready_masters) == (True, {"m1"})
    assert time.monotonic() - began < PROBE_SECONDS + 2
    began = time.monotonic()
    await workload.ensure_token(TOKEN, 60)
    assert time.monotonic() - began < PROBE_SECONDS, "the healthy master was not asked first"


async def test_no_master_answers(workloads: KubeWorkloads, down: Endpoint) -> None:
    workload = workloads.open("demo", [down], "localhost", NO_PKI)
    assert not (await workload.facts()).reachable
    with pytest.raises(TransientError) as error:
        await workload.set_unschedulable("w1", True)
    assert error.value.reason == "EndpointUnreachable"
    nobody = workloads.open("demo", [], "localhost", NO_PKI)
    assert not (await nobody.facts()).reachable
    with pytest.raises(TransientError, match="no master is known"):
        await nobody.set_unschedulable("w1", True)


async def test_a_server_with_another_name_is_not_believed(
    workloads: KubeWorkloads, master: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    impostor = workloads.open("demo", [master], "apiserver.cluster.local", NO_PKI)
    assert not (await impostor.facts()).reachable
    with pytest.raises(TransientError, match="certificate"):
        await impostor.set_unschedulable("w1", True)


async def test_a_token_is_made_kept_and_extended(workload: KubeWorkload, client: KubeClient, clock: SystemClock) -> None:
    async def stored() -> dict[str, Any]:
        return await client.get(SECRETS, "bootstrap-token-abcdef", "kube-system")

    await workload.ensure_token(TOKEN, 3600)
    first = await stored()
    assert first["type"] == "bootstrap.kubernetes.io/token"
    assert decode(first)["token-secret"] == b"0123456789abcdef"
    await workload.ensure_token(TOKEN, 3600)
    assert (await stored())["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    clock.ahead = 3700
    await workload.ensure_token(TOKEN, 3600)
    extended = await stored()
    assert decode(extended)["expiration"] > decode(first)["expiration"]
    await client.patch(SECRETS, "bootstrap-token-abcdef", {"data": {"usage-bootstrap-authentication": None}}, "kube-system")
    await workload.ensure_token(TOKEN, 60)
    assert decode(await stored())["usage-bootstrap-authentication"] == b"true"


async def test_labels_taints_and_cordon(workload: KubeWorkload, client: KubeClient, node: dict[str, Any]) -> None:
    theirs = {"key": "somebody.example/gpu", "effect": "NoSchedule"}
    await client.patch(NODES, "w1", {"spec": {"taints": [theirs]}})
    await workload.patch_node("w1", {"old": None, "new": "2"}, [("dedicated", "db", "NoExecute")])
    await workload.set_unschedulable("w1", True)
    facts = (await workload.facts()).nodes["w1"]
    assert (facts.labels.get("new"), "old" in facts.labels, facts.unschedulable) == ("2", False, True)
    # The API server itself adds the taint of the cordon only through the node controller, which does not run here.
    assert set(facts.taints) == {("somebody.example/gpu", "", "NoSchedule"), ("dedicated", "db", "NoExecute")}
    version = (await client.get(NODES, "w1"))["metadata"]["resourceVersion"]
    await workload.patch_node("w1", {"new": "2"}, [("dedicated", "db", "NoExecute")])
    assert (await client.get(NODES, "w1"))["metadata"]["resourceVersion"] == version
    await workload.patch_node("w1", {}, [])
    await workload.set_unschedulable("w1", False)
    facts = (await workload.facts()).nodes["w1"]
    assert (facts.taints, facts.unschedulable) == ((("somebody.example/gpu", "", "NoSchedule"),), False)


async def test_writers_of_the_same_node_do_not_lose_each_others_changes(workload: KubeWorkload, node: dict[str, Any]) -> None:
    await asyncio.gather(*(workload.patch_node("w1", {f"l{n}": "x"}, None) for n in range(3)))
    assert {f"l{n}" for n in range(3)} <= set((await workload.facts()).nodes["w1"].labels)


async def test_a_node_that_is_not_there(workload: KubeWorkload) -> None:
    with pytest.raises(TransientError, match="nobody"):
        await workload.patch_node("nobody", {"a": "b"}, None)
    await workload.delete_node("nobody", "u")


async def test_only_the_node_with_this_uid_is_deleted(workload: KubeWorkload, client: KubeClient, node: dict[str, Any]) -> None:
    await workload.delete_node("w1", "00000000-0000-0000-0000-000000000000")
    assert await client.find(NODES, "w1") is not None
    await workload.delete_node("w1", node["metadata"]["uid"])
    assert await client.find(NODES, "w1") is None


async def test_eviction_names_the_budget_that_forbids_it(workload: KubeWorkload, client: KubeClient, node: dict[str, Any]) -> None:
    await client.create(NAMESPACES, {"metadata": {"name": "shop"}})
    await eventually(lambda: client.find(ACCOUNTS, "default", "shop"), "the service account")
    for name, app in (("web-1", "web"), ("other", "other"), ("finished", "done")):
        spec = {"nodeName": "w1", "terminationGracePeriodSeconds": 0, "containers": [{"name": "c", "image": "c"}]}
        await client.create(PODS, {"metadata": {"name": name, "labels": {"app": app}}, "spec": spec}, "shop")
        phase = "Succeeded" if app == "done" else "Running"
        ready = [{"type": "Ready", "status": "True"}]
        await client.patch(PODS, name, {"status": {"phase": phase, "conditions": ready}}, "shop", subresource="status")
    budget = {"metadata": {"name": "web"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}}
    await client.create(BUDGETS, budget, "shop")
    counted = {"observedGeneration": 1, "disruptionsAllowed": 0, "currentHealthy": 1, "desiredHealthy": 1, "expectedPods": 1}
    await client.patch(BUDGETS, "web", {"status": counted}, "shop", subresource="status")

    left, why = await workload.evict_pods("w1")
    assert left == 2
    assert "no controller would bring it back" in why, "pods that nobody brings back are not evicted unasked"
    left, why = await workload.evict_pods("w1", force=True)
    assert left == 2, "one that was asked to go counts until it is seen to be gone"
    assert "shop/web-1" in why
    assert "budget web needs 1" in why
    assert [pod["metadata"]["name"] async for pod in client.pages(PODS, "shop")] == ["finished", "web-1"]

    await client.patch(BUDGETS, "web", {"status": {**counted, "disruptionsAllowed": 1}}, "shop", subresource="status")
    assert await workload.evict_pods("w1", force=True) == (1, "")
    assert await workload.evict_pods("w1", force=True) == (0, "")


async def test_sessions_are_shared_and_close_when_idle(module_plane: Plane, clock: SystemClock, master: Endpoint) -> None:
    made = []

    def kubeconfig_for(cluster: str, endpoint: Endpoint, domain: str, pki: PKI) -> str:
        made.append(cluster)
        return module_plane.kubeconfig.read_text()

    workloads = KubeWorkloads(kubeconfig_for, clock, idle=0.2)
    handles = [workloads.open("demo", [master], "localhost", NO_PKI) for _ in range(3)]
    assert all(facts.reachable for facts in await asyncio.gather(*(handle.facts() for handle in handles)))
    assert (made, workloads.sessions) == (["demo"], 1)

    async def closed() -> bool:
        return workloads.sessions == 0

    await eventually(closed, "the idle session to close")
    assert (await handles[0].facts()).reachable
    assert made == ["demo", "demo"]
    clock.ahead += 2 * 86400
    assert (await handles[0].facts()).reachable
    assert made == ["demo"] * 3, "a client certificate must not grow old in use"
    await workloads.close()
    assert workloads.sessions == 0
