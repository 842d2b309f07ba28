"""Where a registry may lead us: whom we connect to, by which way, and what we show there."""

import asyncio
import socket
import ssl
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from sealcluster.core.ports import PullAuth
from sealcluster.images.challenge import Challenge
from sealcluster.images.errors import (
    ImageNotFound,
    RegistryUnavailable,
    RegistryUntrusted,
)
from sealcluster.images.service import ImageService
from sealcluster.images.settings import ImageSettings
from sealcluster.images.transport import Login, Transport, _Translated
from unit.images.builders import rootfs
from unit.images.registry_server import Registry

AUTH = PullAuth()


async def test_credentials_do_not_follow_redirects(registry: Registry, settings: ImageSettings) -> None:
    async with Registry() as other:
        registry.auth, registry.redirect_blobs_to = "basic", f"http://{other.address}"
        service = ImageService(replace(settings, plain_http=settings.plain_http | {other.address}))
        image = rootfs()
        other.blobs = image.blobs()
        await service.resolve("k", registry.add([image]), "amd64", PullAuth({registry.address: registry.user}))
        assert other.requests["elsewhere"] == 2
        assert other.authorizations == ["", ""]
        await service.close()


async def test_redirects_to_plain_http_are_refused(registry: Registry, service: ImageService) -> None:
    registry.redirect_blobs_to = "http://127.0.0.1:1"
    with pytest.raises(RegistryUntrusted, match="not encrypted"):
        await service.resolve("k", registry.add([rootfs()]), "amd64", AUTH)


@pytest.mark.parametrize(
    "place",
    [
        "https://127.0.0.1:6443",
        "https://[::1]",
        "https://[fe80::1]",
        "https://169.254.169.254/latest",
        "https://0.0.0.0",
        "https://2852039166/latest",
        "https://[::ffff:7f00:1]:2379",
        "https://localhost:2379",
        "https://user:word@registry.example",
        "//169.254.169.254/x",
    ],
)
async def test_redirects_to_the_machine_itself_are_refused(registry: Registry, settings: ImageSettings, place: str) -> None:
    registry.redirect_blobs_to = place
    service = ImageService(replace(settings, attempts=1))
    with pytest.raises(RegistryUntrusted, match=r"no place for images|not encrypted"):
        await service.resolve("k", registry.add([rootfs()]), "amd64", AUTH)
    await service.close()


SPELLINGS = [
    "127.1:2379",
    "2130706433:2379",
    "0x7f000001:2379",
    "0177.0.0.1:2379",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:7f00:1::]",
    "2852039166:80",
    "0:80",
]


@pytest.mark.parametrize("host", ["127.0.0.1:2379", "[::1]:6443", "169.254.169.254", "localhost:5000", "0.0.0.0", *SPELLINGS])
async def test_a_tenant_cannot_name_the_operators_own_machine(settings: ImageSettings, host: str) -> None:
    service = ImageService(replace(settings, own_machine=False, plain_http=frozenset(), attempts=1))
    with pytest.raises(RegistryUntrusted, match="own machine"):
        await service.resolve("k", f"{host}/a/b:v1", "amd64", AUTH)
    await service.close()


@pytest.mark.parametrize("own_machine", [True, False])
async def test_a_name_that_leads_to_the_operators_own_machine_is_not_connected_to(
    settings: ImageSettings, monkeypatch: pytest.MonkeyPatch, own_machine: bool
) -> None:
    """By the reference itself, by a redirect and by a token service; who may name his own machine must do so himself."""
    connected: list[str] = []
    server = await asyncio.start_server(lambda _, writer: (connected.append("!"), writer.close())[-1], "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async def resolve(self: object, host: str, port: int = 0, family: int = 0) -> list[dict[str, object]]:
        found = [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)]
        return [{"hostname": host, "host": h, "port": port, "family": f, "proto": 0, "flags": 0} for h, f in found]

    monkeypatch.setattr(aiohttp.DefaultResolver, "resolve", resolve)
    transport = Transport(replace(settings, own_machine=own_machine, plain_http=frozenset()))
    place, named = f"loop.example:{port}", Login("registry.example", "a/b", ("u", "p"))
    with pytest.raises(RegistryUntrusted, match=r"loop\.example is an address of the operator's own machine"):
        async with transport.request("GET", URL(f"https://{place}/v2/"), named, {}, "x"):  # as after a redirect
            pass
    with pytest.raises(RegistryUntrusted, match="own machine"), _Translated("x", named.host):
        await transport._log_in([Challenge("bearer", {"realm": f"https://{place}/token"})], named, "x")
    assert not connected
    with pytest.raises(RegistryUnavailable if own_machine else RegistryUntrusted):
        async with transport.request("GET", transport.url(place, "x"), Login(place, "a/b"), {}, "x"):
            pass
    assert bool(connected) == own_machine
    await transport.close()
    server.close()
    await server.wait_closed()


async def test_a_registry_there_that_the_settings_allow_is_fine(registry: Registry, settings: ImageSettings) -> None:
    service = ImageService(replace(settings, own_machine=False))
    await service.resolve("k", registry.add([rootfs()]), "amd64", AUTH)
    await service.close()


@pytest.mark.parametrize(
    "realm",
    [
        "https://[::ffff:169.254.169.254]/token",
        "https://169.254.169.254/token",
        "https://127.0.0.1:1/token",
        "http://internal/token",
        "file:///etc/passwd",
    ],
)
async def test_a_token_is_not_fetched_from_the_machine_itself(settings: ImageSettings, realm: str) -> None:
    transport = Transport(settings)
    with pytest.raises(RegistryUntrusted):
        await transport._log_in([Challenge("bearer", {"realm": realm})], Login("registry.example", "a/b", ("u", "p")), "x")
    await transport.close()


async def test_plain_http_needs_permission(registry: Registry, settings: ImageSettings) -> None:
    service = ImageService(replace(settings, plain_http=frozenset(), attempts=1))
    with pytest.raises(RegistryUnavailable, match="no TLS") as caught:
        await service.resolve("k", registry.add([rootfs()]), "amd64", AUTH)
    assert "plain HTTP" in caught.value.hint
    await service.close()


async def test_tls_wants_a_ca_that_we_know(settings: ImageSettings, certificates: tuple[str, str, str], tmp_path: Path) -> None:
    authority, certificate, key = certificates
    (tmp_path / "c.pem").write_text(certificate)
    (tmp_path / "k.pem").write_text(key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "c.pem", tmp_path / "k.pem")

    async def missing(_: web.Request) -> web.Response:
        return web.Response(status=404)

    runner = web.ServerRunner(web.Server(missing), shutdown_timeout=0.1)  # type: ignore[arg-type]  # BaseRequest is enough here
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    address = f"127.0.0.1:{runner.addresses[0][1]}"
    stranger, friend = ImageService(settings), ImageService(replace(settings, extra_ca=authority))
    with pytest.raises(RegistryUntrusted, match="not trusted"):
        await stranger.resolve("k", f"{address}/a/b:c", "amd64", AUTH)
    with pytest.raises(ImageNotFound):
        await friend.resolve("k", f"{address}/a/b:c", "amd64", AUTH)
    await stranger.close()
    await friend.close()
    await runner.cleanup()
