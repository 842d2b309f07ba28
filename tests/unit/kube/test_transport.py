"""One pool of connections: who waits in line, and which way requests take."""

import asyncio
from contextlib import asynccontextmanager

import pytest
import yaml
from aiohttp import web
from kubernetes.aio.client.configuration import Configuration

from sealcluster.kube.errors import Unavailable
from sealcluster.kube.transport import Transport


@asynccontextmanager
async def listening(handle):
    """The address of an HTTP server on loopback."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_a_wait_in_line_is_not_the_servers_silence():
    async def slow(_request):
        await asyncio.sleep(0.1)
        return web.json_response({})

    async with listening(slow) as address:
        transport = Transport(Configuration(host=f"http://{address}", connection_pool_maxsize=1))
        try:
            url = transport.server + "/"
            together = [transport.request("GET", url, doing="asking", seconds=1.0) for _ in range(15)]
            assert [answer.status for answer in await asyncio.gather(*together)] == [200] * 15
        finally:
            await transport.close()


async def test_who_waits_in_line_hears_that_it_was_closed():
    begun = asyncio.Event()

    async def silent(_request):
        begun.set()
        await asyncio.Event().wait()

    async with listening(silent) as address:
        transport = Transport(Configuration(host=f"http://{address}", connection_pool_maxsize=1))
        first, second = (asyncio.create_task(transport.request("GET", transport.server + "/", doing=name)) for name in ("one", "two"))
        await begun.wait()
        await transport.close()
        for task, name in ((first, "one"), (second, "two")):
            with pytest.raises(Unavailable, match=f"^{name}: "):
                await asyncio.wait_for(task, 5)


def kubeconfig(server, **cluster):
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "u", "user": {"token": "s3cret"}}],
    }


@pytest.mark.parametrize(
    ("environment", "cluster", "text", "asked"),
    [
        ({}, {}, False, "server"),
        ({"http_proxy": "PROXY"}, {}, False, "proxy"),
        ({"http_proxy": "PROXY", "no_proxy": ".example,127.0.0.1"}, {}, False, "server"),
        ({"http_proxy": "http://127.0.0.1:1"}, {"proxy-url": "PROXY"}, False, "proxy"),
        ({"http_proxy": "PROXY"}, {}, True, "server"),
    ],
    ids=["no proxy", "the environment's", "but not for this server", "the file's comes first", "never to our own machines"],
)
async def test_which_way_requests_take(monkeypatch, tmp_path, environment, cluster, text, asked):
    seen = []

    def counted(name):
        async def handle(request):
            seen.append((name, request.headers.get("Authorization")))
            return web.json_response({})

        return handle

    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password other\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    async with listening(counted("server")) as server, listening(counted("proxy")) as proxy:
        for name, value in environment.items():
            monkeypatch.setenv(name, value.replace("PROXY", f"http://{proxy}"))
        document = kubeconfig(f"http://{server}", **{k: v.replace("PROXY", f"http://{proxy}") for k, v in cluster.items()})
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump(document))
        transport = await (Transport.from_text(path.read_text()) if text else Transport.from_file(path))
        try:
            assert (await transport.request("GET", transport.server + "/", doing="asking")).status == 200
        finally:
            await transport.close()
    assert seen == [(asked, "Bearer s3cret")]
