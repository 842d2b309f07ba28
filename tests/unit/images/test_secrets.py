"""Credentials of registries stay in memory: not in the content store, not in logs, not in errors."""

import base64
import logging
from dataclasses import replace

import pytest

from sealcluster.core.errors import SealError
from sealcluster.core.ports import PullAuth
from sealcluster.images.service import ImageService
from sealcluster.images.settings import ImageSettings
from unit.images.builders import rootfs
from unit.images.registry_server import Registry

CANARY = "canary9d2f7a51c3"


@pytest.mark.parametrize("scheme", ["basic", "bearer"])
async def test_they_are_nowhere_after_a_pull(
    registry: Registry, settings: ImageSettings, scheme: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    registry.auth, registry.user = scheme, ("puller", CANARY)
    auth = PullAuth({registry.address: registry.user})
    service = ImageService(settings)
    reference = registry.add([rootfs()])
    await service.resolve("k", reference, "amd64", auth)
    registry.user = ("puller", "another")
    denied = ImageService(replace(settings, store=settings.store.parent / "other", attempts=1))
    with pytest.raises(SealError) as caught:
        await denied.resolve("k", reference, "amd64", auth)
    said = [f"{caught.value} {caught.value.hint} {auth!r} {settings!r}", *(f"{r.getMessage()} {r.args}" for r in caplog.records)]
    for form in (CANARY, base64.b64encode(f"puller:{CANARY}".encode()).decode()):
        assert all(form not in text for text in said)
        for path in settings.store.parent.rglob("*"):
            assert form not in path.name
            assert path.is_dir() or form.encode() not in path.read_bytes(), path
    await service.close()
    await denied.close()
