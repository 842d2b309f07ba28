import pytest

from sealcluster.ssh.pool import Pool
from sealcluster.ssh.settings import SshSettings
from sshkit.inprocess import Server
from sshkit.logins import PUBLIC


@pytest.fixture
async def server(tmp_path):
    server = await Server(tmp_path / "one", passwords={"root": "swordfish", "ops": "swordfish"}, authorized=PUBLIC).start()
    yield server
    await server.stop()


@pytest.fixture
async def pool():
    pool = Pool(SshSettings(connect_timeout=5, login_timeout=5))
    yield pool
    await pool.close()
