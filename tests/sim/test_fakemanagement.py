"""The fake Management keeps the same contract as Secrets on a real API server and files on a disk."""

import pytest

from contract_management import AUTHORITIES, RECORD, ManagementContract
from sealcluster.core.errors import StateConflict, TerminalError, TransientError
from sealcluster.testing.fakemanagement import FakeManagement


@pytest.fixture
def management():
    return FakeManagement(latency=0)


@pytest.fixture
def again(management):
    return management


@pytest.fixture
def put(management):
    async def store(kind, name, data):
        management.set(kind, name, data)

    return store


class TestFakeManagement(ManagementContract):
    async def test_an_injected_conflict_loses_once(self, management):
        management.conflicts = 1
        with pytest.raises(StateConflict):
            await management.save_state(RECORD, "")
        assert await management.load_state() == (None, "")

    async def test_a_server_that_is_down_is_transient(self, management):
        management.down = True
        with pytest.raises(TransientError):
            await management.load_state()

    async def test_some_lost_authorities_are_named(self, management):
        await management.create_pki(AUTHORITIES)
        management.lost = {"etcd"}
        with pytest.raises(TerminalError, match="demo-etcd"):
            await management.load_pki()
