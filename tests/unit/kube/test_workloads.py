"""Connection pools to new clusters: when one ends, nobody who is at work notices."""

import asyncio

import pytest
import yaml

from sealcluster.core.ports import PKI, Endpoint
from sealcluster.kube import workload as kube_workload
from sealcluster.kube import workloads as kube_workloads
from sealcluster.kube.client import KubeClient
from sealcluster.kube.errors import Unavailable
from sealcluster.kube.resources import NODES
from sealcluster.kube.transport import Transport
from sealcluster.kube.workload import KubeWorkload
from sealcluster.kube.workloads import LIFETIME_SECONDS, KubeWorkloads
from unit.kube.manual_clock import ManualClock
from unit.kube.scripted_api import ScriptedAPI

AUTHORITIES = PKI(("a", "b"), ("a", "b"), ("a", "b"), ("a", "b"), "x")


def pools(api: ScriptedAPI, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> KubeWorkloads:
    monkeypatch.setattr(kube_workload, "_url", lambda _: api.transport.server)
    text = yaml.safe_dump(
        {
            "clusters": [{"name": "c", "cluster": {"server": api.transport.server}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "c",
            "users": [{"name": "u", "user": {}}],
        }
    )
    return KubeWorkloads(lambda *_: text, clock)


async def test_a_pool_that_is_replaced_serves_who_is_at_work(api: ScriptedAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock()
    workloads = pools(api, clock, monkeypatch)
    workload = workloads.open("t/demo", [Endpoint("m1", "127.0.0.1", 6443)], "d", AUTHORITIES)
    old = await workload._session()
    api.will((200, {"items": [{}], "metadata": {"continue": "x"}}), (200, {"items": [{}]}))
    found = 0
    async for _ in KubeClient(old).pages(NODES):
        found += 1
        clock.time += LIFETIME_SECONDS + 1
        assert await workload._session() is not old
    assert found == 2
    await workloads.close()
    with pytest.raises(Unavailable, match=r"getting Node m1: the connections to .* were closed meanwhile"):
        await KubeClient(old).get(NODES, "m1")


async def test_a_pool_that_was_replaced_is_closed_after_a_while(api: ScriptedAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock()
    monkeypatch.setattr(kube_workloads, "LAST_REQUESTS_SECONDS", 0.0)
    workloads = pools(api, clock, monkeypatch)
    workload = workloads.open("t/demo", [Endpoint("m1", "127.0.0.1", 6443)], "d", AUTHORITIES)
    old = await workload._session()
    clock.time += LIFETIME_SECONDS + 1
    new = await workload._session()
    await asyncio.sleep(0.05)
    with pytest.raises(Unavailable, match="closed meanwhile"):
        await KubeClient(old).get(NODES, "m1")
    assert await KubeClient(new).get(NODES, "m1") == {}
    await workloads.close()


async def test_an_engine_whose_pool_was_closed_sees_a_cluster_that_does_not_answer(api: ScriptedAPI) -> None:
    await api.transport.close()

    async def session() -> Transport:
        return api.transport

    assert not (await KubeWorkload(session, [Endpoint("m1", "127.0.0.1", 6443)], ManualClock()).facts()).reachable
