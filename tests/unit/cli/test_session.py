"""How long a command waits, and for what."""

import pytest

from sealcluster.cli import session
from sealcluster.core.errors import TransientError


class Stuck:
    """An engine in which something else runs out of time."""

    def __init__(self, *_args, **_more):
        pass

    async def run(self, _until):
        raise TimeoutError("a disk that does not answer")


class Wish:
    name = "demo"


@pytest.mark.parametrize("within", [None, 3600.0])
async def test_somebody_elses_timeout_is_not_taken_for_ours(monkeypatch, within):
    monkeypatch.setattr(session, "Engine", Stuck)
    with pytest.raises(TimeoutError, match="a disk that does not answer") as caught:
        await session.converge(Wish(), None, lambda _report: None, within)
    assert not isinstance(caught.value, TransientError)
