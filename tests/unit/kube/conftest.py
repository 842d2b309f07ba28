from collections.abc import AsyncIterator, Iterator

import pytest
import stamina

from unit.kube.scripted_api import ScriptedAPI, scripted_api


@pytest.fixture
async def api() -> AsyncIterator[ScriptedAPI]:
    async with scripted_api() as running:
        yield running


@pytest.fixture
def no_waits() -> Iterator[None]:
    """Retries follow one another at once; their number stays."""
    with stamina.set_testing(True, attempts=100, cap=True):
        yield
