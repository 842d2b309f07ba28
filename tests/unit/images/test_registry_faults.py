"""A registry that breaks off, lies, never ends, refuses: what survives, what is refused, and in which words."""

import asyncio
import os
import time
from dataclasses import replace

import pytest

from sealcluster.core.errors import SealError, TransientError
from sealcluster.core.ports import PullAuth
from sealcluster.images.errors import (
    DigestMismatch,
    ImageAuthFailed,
    ImageCorrupt,
    ImageNotFound,
    RegistryUnavailable,
    StoreFull,
    TooLarge,
)
from sealcluster.images.limits import Limits
from sealcluster.images.service import ImageService
from sealcluster.images.settings import ImageSettings
from unit.images.builders import ROOTFS_FILES, Image, files, rootfs, sha
from unit.images.registry_server import Registry

AUTH = PullAuth()


def big(size: int = 5 << 20) -> Image:
    """An image whose layer does not compress."""
    return rootfs(layers=[files({"scripts/x.sh": "x", "bin/big": os.urandom(size)})], compression="")


def layer_of(image: Image) -> str:
    return sha(image.packed()[0])


async def test_a_broken_connection_is_resumed_where_it_broke(registry: Registry, service: ImageService) -> None:
    image = big()
    registry.faults.cut_after, registry.faults.cuts = {layer_of(image): 2 << 20}, 2
    info = await service.resolve("k", registry.add([image]), "amd64", AUTH)
    assert info.parts
    assert registry.requests["range"] == 2
    assert registry.sent < len(image.packed()[0]) * 1.5 + 10_000


async def test_more_breaks_than_attempts_are_fine_while_it_gets_further(registry: Registry, settings: ImageSettings) -> None:
    image = big()
    service = ImageService(replace(settings, attempts=2))
    registry.faults.cut_after, registry.faults.cuts = {layer_of(image): 1_200_000}, 100
    assert (await service.resolve("k", registry.add([image]), "amd64", AUTH)).parts
    await service.close()


async def test_no_progress_ends_in_a_transient_error_and_a_later_pull_resumes(registry: Registry, service: ImageService) -> None:
    image = big()
    registry.faults.cut_after, registry.faults.cuts = {layer_of(image): 100_000}, 5
    ref = registry.add([image])
    with pytest.raises(RegistryUnavailable) as caught:
        await service.resolve("k", ref, "amd64", AUTH)
    assert caught.value.reason == "ImagePullFailed"
    assert isinstance(caught.value, TransientError)
    registry.requests.clear()
    await service.resolve("k", ref, "amd64", AUTH)
    assert registry.requests["range"] == 1


async def test_a_registry_without_ranges_starts_over(registry: Registry, service: ImageService) -> None:
    image = big()
    registry.faults.cut_after, registry.faults.cuts, registry.faults.ignore_range = {layer_of(image): 3 << 20}, 1, True
    assert (await service.resolve("k", registry.add([image]), "amd64", AUTH)).parts


async def test_a_damaged_partial_file_is_not_the_registrys_fault(
    registry: Registry, service: ImageService, settings: ImageSettings
) -> None:
    image = big()
    registry.faults.cut_after, registry.faults.cuts = {layer_of(image): 1_000_000}, 5
    with pytest.raises(RegistryUnavailable):
        await service.resolve("k", registry.add([image]), "amd64", AUTH)
    [left] = (settings.store / "partial").iterdir()
    left.write_bytes(b"\0" * 1_000_000)
    assert (await service.resolve("k", registry.add([image]), "amd64", AUTH)).parts


@pytest.mark.parametrize("fault", ["wrong", "short", "long", "announced short", "announced long", "endless"])
async def test_lies_are_found_and_nothing_of_them_stays(
    fault: str, registry: Registry, service: ImageService, settings: ImageSettings
) -> None:
    image = big(300_000)
    layer, data = layer_of(image), image.packed()[0]
    faults = registry.faults
    if fault == "wrong":
        faults.wrong[layer] = data[:-1] + b"x"
    elif fault == "short":
        faults.wrong[layer] = data[:-1]
    elif fault == "long":
        faults.wrong[layer] = data + b"x"
    elif fault == "endless":
        faults.endless.add(layer)
    else:
        faults.length[layer] = len(data) + (100 if fault.endswith("long") else -100)
    ref = registry.add([image])
    with pytest.raises(DigestMismatch) as caught:
        await service.resolve("k", ref, "amd64", AUTH)
    assert caught.value.reason == "ImageCorrupt"
    assert layer[:12] in str(caught.value)
    assert not (settings.store / "blobs" / layer).exists()
    assert not list((settings.store / "partial").iterdir())


async def test_a_manifest_with_another_digest_is_refused(registry: Registry, service: ImageService) -> None:
    ref = registry.add([rootfs()], as_index=False)
    digest = f"sha256:{sha(rootfs().manifest())}"
    registry.faults.wrong = {"v1": b'{"schemaVersion":2}', digest: b'{"schemaVersion":2}'}
    for wanted in (ref, f"{ref.rpartition(':')[0]}@{digest}"):
        with pytest.raises(DigestMismatch):
            await service.resolve("k", wanted, "amd64", AUTH)


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b"[" * 100_000, b'{"schemaVersion":1}', b'{"schemaVersion":2,"layers":3}'])
async def test_manifests_of_nonsense_are_refused(body: bytes, registry: Registry, service: ImageService) -> None:
    registry.manifests["v1"] = ("application/json", body)
    with pytest.raises(SealError) as caught:
        await service.resolve("k", f"{registry.address}/labring/kubernetes:v1", "amd64", AUTH)
    assert caught.value.reason in ("ImageCorrupt", "UnsupportedImage")


async def test_a_manifest_without_end_is_cut_off(registry: Registry, settings: ImageSettings) -> None:
    service = ImageService(replace(settings, limits=Limits(manifest=10_000)))
    registry.manifests["v1"] = ("application/json", b"x" * 20_000)
    with pytest.raises(ImageCorrupt, match="longer than 10000"):
        await service.resolve("k", f"{registry.address}/labring/kubernetes:v1", "amd64", AUTH)
    registry.add([rootfs()], "v2")
    await service.close()


async def test_missing_repositories_and_tags_are_not_retried(registry: Registry, service: ImageService) -> None:
    with pytest.raises(ImageNotFound, match="MANIFEST_UNKNOWN") as caught:
        await service.resolve("k", f"{registry.address}/labring/kubernetes:nope", "amd64", AUTH)
    assert "s3cret" not in str(caught.value)
    assert registry.requests["manifest"] == 1


async def test_server_errors_are_retried_and_waits_honoured(registry: Registry, service: ImageService) -> None:
    registry.faults.fail_status, registry.faults.retry_after = [503, 429], "1"
    started = time.monotonic()
    await service.resolve("k", registry.add([rootfs()]), "amd64", AUTH)
    assert time.monotonic() - started > 1.9
    registry.faults.fail_status, registry.faults.retry_after = [500] * 5, ""
    with pytest.raises(RegistryUnavailable, match="answers 500 TOOMANYREQUESTS"):
        await service.resolve("k", registry.add([rootfs()], "v2"), "amd64", AUTH)


async def test_nobody_listens(service: ImageService, registry: Registry, settings: ImageSettings) -> None:
    service = ImageService(replace(settings, attempts=2, plain_http=frozenset({"127.0.0.1:1"})))
    with pytest.raises(RegistryUnavailable, match=r"127\.0\.0\.1:1"):
        await service.resolve("k", "127.0.0.1:1/a/b:c", "amd64", AUTH)
    await service.close()


async def test_silence_ends(settings: ImageSettings) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    address = "{}:{}".format(*server.sockets[0].getsockname())
    service = ImageService(replace(settings, attempts=2, read_timeout=0.1, plain_http=frozenset({address})))
    with pytest.raises(RegistryUnavailable, match="no answer in time"):
        await service.resolve("k", f"{address}/a/b:c", "amd64", AUTH)
    await service.close()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("kind", ["basic", "bearer"])
async def test_credentials_are_found_sent_and_refused(kind: str, registry: Registry, service: ImageService) -> None:
    registry.auth = kind
    ref = registry.add([rootfs()])
    with pytest.raises(ImageAuthFailed, match="wants credentials and there are none"):
        await service.resolve("k", ref, "amd64", AUTH)
    with pytest.raises(ImageAuthFailed) as caught:
        await service.resolve("k", ref, "amd64", PullAuth({registry.address: ("user", "wr0ng")}))
    assert "wr0ng" not in f"{caught.value}{caught.value!r}{caught.value.hint}"
    assert "pullSecretRefs" in caught.value.hint
    auth = PullAuth({f"https://{registry.address}/v1/": registry.user, registry.address + "/other": ("a", "b")})
    assert (await service.resolve("k", ref, "amd64", auth)).parts
    assert registry.requests["token"] == (3 if kind == "bearer" else 0)


async def test_what_one_may_pull_another_may_not_have(registry: Registry, service: ImageService) -> None:
    registry.auth = "bearer"
    ref = registry.add([rootfs()])
    await service.resolve("k", ref, "amd64", PullAuth({registry.address: registry.user}))
    with pytest.raises(ImageAuthFailed):
        await service.resolve("k", ref, "amd64", PullAuth({registry.address: ("stranger", "x")}))
    with pytest.raises(ImageAuthFailed):
        await service.resolve("k", ref, "amd64", AUTH)


async def test_sizes_are_limited_before_anything_is_pulled(registry: Registry, settings: ImageSettings) -> None:
    service = ImageService(replace(settings, limits=Limits(download=100)))
    with pytest.raises(TooLarge):
        await service.resolve("k", registry.add([rootfs()]), "amd64", AUTH)
    assert not registry.requests["blob"]
    await service.close()
    small = ImageService(replace(settings, store_limit=1_000))
    with pytest.raises(StoreFull, match="image store"):
        await small.resolve("k", registry.add([rootfs()]), "amd64", AUTH)
    await small.close()


async def test_a_cancelled_pull_lets_go(registry: Registry, service: ImageService, settings: ImageSettings) -> None:
    image = big(300_000)
    registry.faults.length[layer_of(image)] = len(image.packed()[0])
    registry.sent_some.clear()
    registry.faults.wrong[layer_of(image)] = image.packed()[0][:200_000]  # the rest never comes
    ref = registry.add([image])
    pull = asyncio.create_task(service.resolve("k", ref, "amd64", AUTH))
    async with asyncio.timeout(5):
        await registry.sent_some.wait()
    pull.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pull
    registry.faults.wrong.clear()
    registry.faults.length.clear()
    async with asyncio.timeout(5):
        assert (await service.resolve("k", ref, "amd64", AUTH)).parts


@pytest.mark.thorough
async def test_one_tenants_slow_registry_does_not_hold_up_anothers_pull(settings: ImageSettings) -> None:
    """Both name the same public image, the first one at a registry of its own that never gets on."""
    image = big(300_000)
    async with Registry() as slow, Registry() as good:
        data = image.packed()[0]
        slow.faults.wrong, slow.faults.length = {layer_of(image): data[:200_000]}, {layer_of(image): len(data)}  # the rest never comes
        service = ImageService(replace(settings, plain_http=frozenset({slow.address, good.address})))
        first = asyncio.create_task(service.resolve("k", slow.add([image]), "amd64", AUTH))
        async with asyncio.timeout(1.5):
            await slow.sent_some.wait()
            assert (await service.resolve("k", good.add([image]), "amd64", AUTH)).parts
        assert not first.done()
        slow.faults.wrong.clear()
        slow.faults.length.clear()
        assert (await first).parts  # what the other brought is good for both
        await service.close()
    assert not list((settings.store / "partial").iterdir())


@pytest.mark.thorough
async def test_a_layer_that_two_images_share_is_not_collected_between_pull_and_cut(settings: ImageSettings) -> None:
    shared = files({**ROOTFS_FILES, "bin/base": os.urandom(1 << 20)})
    quick = rootfs(layers=[shared, files({"scripts/a.sh": "a"})], compression="")
    late = rootfs(layers=[shared, files({"bin/b": os.urandom(200_000)})], compression="")
    other = rootfs(layers=[files({**ROOTFS_FILES, "bin/c": os.urandom(1 << 20)})], compression="")
    second = sha(late.packed()[1])
    async with Registry() as registry:
        service = ImageService(replace(settings, plain_http=frozenset({registry.address}), store_limit=7_500 << 10))
        quick_ref, late_ref, other_ref = (registry.add([image], tag) for image, tag in ((quick, "a"), (late, "b"), (other, "c")))
        registry.faults.wrong, registry.faults.length = {second: late.packed()[1][:150_000]}, {second: len(late.packed()[1])}
        pull = asyncio.create_task(service.resolve("k", late_ref, "amd64", AUTH))
        async with asyncio.timeout(10):
            await registry.sent_some.wait()
            while not (settings.store / "blobs" / sha(shared)).exists():  # noqa: ASYNC110 - a directory tells nobody
                await asyncio.sleep(0.01)
        await service.resolve("k", quick_ref, "amd64", AUTH)  # it is cut, and needs the shared layer no more
        loose = settings.store / "blobs" / sha(b"loose")
        loose.write_bytes(b"x" * (1 << 20))
        await service.resolve("k", other_ref, "amd64", AUTH)  # this needs room for one of them, and the shared layer is the older one
        assert not loose.exists()
        registry.faults.wrong.clear()
        registry.faults.length.clear()
        assert (await pull).parts
        await service.close()
