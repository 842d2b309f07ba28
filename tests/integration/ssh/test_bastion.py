"""Through a jump host."""

import pytest

from sealcluster.core.errors import TerminalError
from sealcluster.core.ports import Bastion, Credentials, HostKeyPolicy
from sealcluster.ssh.pool import Pool
from sealcluster.ssh.settings import SshSettings
from sshkit.inprocess import Server
from sshkit.logins import PUBLIC, TOFU, say, target


async def test_through_a_bastion(server, pool, tmp_path):
    inner = await Server(tmp_path / "inner", authorized=PUBLIC).start()
    jump = Bastion("127.0.0.1", server.port, Credentials(user="ops", password="swordfish"), HostKeyPolicy(pinned=server.public))
    try:
        connection = pool.connection(target(inner, bastion=jump))
        assert (await say(connection)).stdout == b"hello\n"
        assert connection.host_key == inner.public
        assert len(server.connections) == 1
        assert server.commands == []
        server.cut()
        assert (await say(connection)).stdout == b"hello\n"
    finally:
        await inner.stop()


async def test_a_bastions_host_key_is_checked(server, pool, tmp_path):
    jump = Bastion("127.0.0.1", server.port, Credentials(user="ops", password="swordfish"), HostKeyPolicy())
    with pytest.raises(TerminalError) as caught:
        await say(pool.connection(target(server, bastion=jump)))
    assert caught.value.reason == "HostKeyUnknown"
    assert "bastion 127.0.0.1" in str(caught.value)


async def test_a_bastions_key_of_first_use_is_shown_and_pinning_it_changes_no_connection(server, pool, tmp_path):
    inner = await Server(tmp_path / "inner", authorized=PUBLIC).start()
    login = Credentials(user="ops", password="swordfish")
    try:
        connection = pool.connection(target(inner, bastion=Bastion("127.0.0.1", server.port, login, TOFU)))
        assert connection.bastion_key == ""
        await say(connection)
        assert connection.bastion_key == server.public
        pinned = Bastion("127.0.0.1", server.port, login, HostKeyPolicy(pinned=connection.bastion_key))
        assert pool.connection(target(inner, bastion=pinned)) is connection
        await say(connection)
        assert len(server.connections) == 1
        changed = Bastion("127.0.0.1", server.port, login, HostKeyPolicy(pinned=PUBLIC))
        await pool.connection(target(inner, bastion=changed)).close()
        with pytest.raises(TerminalError) as caught:
            await say(connection)
        assert (caught.value.reason, caught.value.host) == ("HostKeyMismatch", "bastion 127.0.0.1")
    finally:
        await inner.stop()


async def test_a_bastion_stays_while_a_host_behind_it_is_connected(server, tmp_path):
    inner = await Server(tmp_path / "inner", authorized=PUBLIC).start()
    pool = Pool(SshSettings(idle=0.2))
    jump = Bastion("127.0.0.1", server.port, Credentials(user="ops", password="swordfish"), HostKeyPolicy(pinned=server.public))
    try:
        connection = pool.connection(target(inner, bastion=jump))
        output = await say(connection, "sleep 1; echo still here")
        assert output.stdout == b"still here\n"
        assert len(server.connections) == 1
    finally:
        await pool.close()
        await inner.stop()
