"""A registry and an image service over a fresh store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sealcluster.core.ports import PullAuth
from sealcluster.images.service import ImageService
from sealcluster.images.settings import ImageSettings
from unit.images.registry_server import Registry

ANONYMOUS = PullAuth()


@pytest.fixture
async def registry() -> AsyncIterator[Registry]:
    async with Registry() as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path, registry: Registry) -> ImageSettings:
    return ImageSettings(tmp_path / "store", plain_http=frozenset({registry.address}), first_wait=0.001, max_wait=0.01, read_timeout=2.0)


@pytest.fixture
async def service(settings: ImageSettings) -> AsyncIterator[ImageService]:
    images = ImageService(settings)
    yield images
    await images.close()
