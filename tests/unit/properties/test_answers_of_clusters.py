"""The API server of a new cluster is its tenant's: whatever it answers is small, stays with it, and harms nobody else."""

import asyncio
import gzip
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from hypothesis import given
from kubernetes.aio.client.configuration import Configuration

from sealcluster.core.errors import SealError, TransientError
from sealcluster.core.facts import ClusterFacts
from sealcluster.core.ports import Endpoint
from sealcluster.kube import client as kube_client
from sealcluster.kube import transport as kube_transport
from sealcluster.kube import workload as kube_workload
from sealcluster.kube.client import KubeClient
from sealcluster.kube.errors import Answer, Unavailable, error_of
from sealcluster.kube.resources import NODES
from sealcluster.kube.transport import Transport
from sealcluster.kube.workload import KubeWorkload
from unit.properties.strategies import as_json, deep, junk, mutated, quick

NODE = {
    "metadata": {"name": "m1", "uid": "u", "labels": {"a": "b"}, "annotations": {"sealcluster.io/taints": "[]"}, "resourceVersion": "1"},
    "spec": {"taints": [{"key": "k", "value": "v", "effect": "NoSchedule"}]},
    "status": {
        "conditions": [{"type": "Ready", "status": "True", "message": "m"}],
        "nodeInfo": {"kubeletVersion": "v1"},
        "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
    },
}
LIST = {"items": [NODE], "metadata": {"continue": ""}}
STATUS = {"kind": "Status", "message": "m", "reason": "r", "details": {"causes": [{"message": "c"}]}}


class Server:
    """A transport that answers with the same body whatever is asked."""

    server = "https://x"

    def __init__(self, body, status=200):
        self.body, self.status, self.asked = body, status, 0

    async def request(self, *_, **__):
        self.asked += 1
        return Answer(self.status, self.body)


def facts(body):
    async def session():
        return Server(body)

    async def look():
        work = KubeWorkload(session, [Endpoint("m1", "10.0.0.1", 6443)], None)
        found = await work.facts()
        try:
            await work.patch_node("m1", {"x": "y"}, [("k", "v", "NoSchedule")])
            await work.evict_pods("m1")
            await work.ensure_token("abcdef.0123456789abcdef", 60)
        except SealError as error:
            assert str(error)
        return found

    return asyncio.run(look())


class NoTime:
    @staticmethod
    def now():
        return 1.0


@pytest.fixture(autouse=True, scope="module")
def impatient():
    before = KubeWorkload.__init__

    def begin(self, session, endpoints, clock):
        before(self, session, endpoints, clock or NoTime())

    KubeWorkload.__init__ = begin
    waits, kube_workload.REQUEST_SECONDS = kube_workload.REQUEST_SECONDS, 0.01
    yield
    KubeWorkload.__init__, kube_workload.REQUEST_SECONDS = before, waits


@quick
@given(mutated(LIST).map(as_json) | mutated(NODE).map(as_json) | junk | deep.map(str.encode))
def test_nodes_of_any_shape(body):
    assert isinstance(facts(body), ClusterFacts)


@quick
@given(mutated(STATUS).map(as_json) | junk | deep.map(str.encode))
def test_refusals_of_any_shape(body):
    for status in (300, 400, 401, 403, 404, 408, 409, 410, 422, 429, 500, 599):
        error = error_of(Answer(status, body, {"Retry-After": "²"}), "doing")
        assert len(str(error)) < 2000


async def test_a_list_without_end_ends(monkeypatch):
    monkeypatch.setattr(kube_client, "MOST_PAGES", 7)
    server = Server(as_json({"items": [NODE], "metadata": {"continue": "more"}}))
    with pytest.raises(TransientError, match="pages"):
        _ = [n async for n in KubeClient(server).pages(NODES)]
    assert server.asked == 7


@asynccontextmanager
async def serving(handle):
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    transport = Transport(Configuration(host=f"http://127.0.0.1:{runner.addresses[0][1]}"))
    try:
        yield transport
    finally:
        await transport.close()
        await runner.cleanup()


async def test_an_answer_without_end_is_cut_off(monkeypatch):
    monkeypatch.setattr(kube_transport, "ANSWER_LIMIT", 1 << 20)

    async def endless(request):
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(1000):
            await response.write(b" " * (64 << 10))
        return response

    async with serving(endless) as transport:
        with pytest.raises(Unavailable, match="longer than"):
            await transport.request("GET", transport.server + "/x", doing="asking")


async def test_an_answer_that_unpacks_to_a_lot_is_cut_off(monkeypatch):
    monkeypatch.setattr(kube_transport, "ANSWER_LIMIT", 1 << 20)

    async def bomb(_request):
        return web.Response(body=gzip.compress(b" " * (16 << 20)), headers={"Content-Encoding": "gzip"})

    async with serving(bomb) as transport:
        with pytest.raises(Unavailable):
            await transport.request("GET", transport.server + "/x", doing="asking")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_nobody_is_sent_elsewhere(status):
    asked = []

    async def redirect(request):
        asked.append((request.method, request.path))
        return web.Response(status=status, headers={"Location": "/inside"})

    async with serving(redirect) as transport:
        for method in ("GET", "POST"):
            with pytest.raises(Unavailable, match="redirects"):
                await transport.request(method, transport.server + "/x", doing="asking", body={"a": 1})
    assert asked == [("GET", "/x"), ("POST", "/x")]
