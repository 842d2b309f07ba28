"""Connections against a server in this process: everything that can go wrong between us and a host, one test each."""

import asyncio
import socket
import time
from types import SimpleNamespace

import asyncssh
import pytest

from sealcluster.core.errors import TerminalError, TransientError
from sealcluster.core.ports import Credentials, HostKeyPolicy, HostTarget
from sealcluster.ssh.channel import STDERR_LIMIT
from sealcluster.ssh.pool import Pool
from sealcluster.ssh.settings import SshSettings
from sshkit.inprocess import Server
from sshkit.logins import PRIVATE, PUBLIC, TOFU, USER, eventually, say, target


async def test_output_errors_and_exit_code_come_back(server, pool):
    output = await say(pool.connection(target(server)), "cat; echo oops >&2; exit 7", b"some\0bytes\xff")
    assert (output.rc, output.stdout, output.stderr) == (7, b"some\0bytes\xff", "oops\n")


async def test_one_connection_serves_many_commands(server, pool):
    connection = pool.connection(target(server))
    await asyncio.gather(*(say(connection) for _ in range(20)))
    assert len(server.connections) == 1
    assert server.most_sessions <= 8
    assert connection.commands == 20


async def test_the_same_target_shares_its_connection(server, pool):
    assert pool.connection(target(server)) is pool.connection(target(server, keys=TOFU))


async def test_the_key_that_the_host_showed_is_recorded(server, pool):
    connection = pool.connection(target(server, keys=TOFU))
    assert connection.host_key == ""
    await say(connection)
    assert connection.host_key == server.public


async def test_a_key_that_was_accepted_counts_although_the_login_failed(server, pool):
    connection = pool.connection(target(server, Credentials(password="wrong words"), keys=TOFU))
    with pytest.raises(TerminalError):
        await say(connection)
    assert connection.host_key == server.public
    server.passwords.clear()
    other = pool.connection(target(server, Credentials(password="wrong words"), keys=HostKeyPolicy(pinned=PUBLIC)))
    with pytest.raises(TerminalError) as caught:
        await say(other)
    assert caught.value.reason == "HostKeyMismatch"
    assert other.host_key == "", "a key that was refused is none"


async def test_a_password_works(server, pool):
    assert (await say(pool.connection(target(server, Credentials(password="swordfish"))))).stdout == b"hello\n"


async def test_a_user_certificate_works(tmp_path, pool):
    ca = asyncssh.generate_private_key("ssh-ed25519")
    trusting = await Server(tmp_path / "ca", authorized="cert-authority " + ca.export_public_key().decode()).start()
    certificate = ca.generate_user_certificate(USER, "ops", principals=["root"]).export_certificate().decode()
    try:
        credentials = Credentials(private_key=PRIVATE, certificate=certificate)
        assert (await say(pool.connection(target(trusting, credentials)))).rc == 0
        with pytest.raises(TerminalError) as caught:
            await say(pool.connection(target(trusting, Credentials(private_key=PRIVATE))))
        assert caught.value.reason == "AuthenticationFailed"
    finally:
        await trusting.stop()


@pytest.mark.parametrize(
    "credentials",
    [
        Credentials(password="wrong words"),
        Credentials(private_key=asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()),
    ],
    ids=["password", "key"],
)
async def test_bad_credentials_are_terminal_and_not_quoted(server, pool, credentials):
    with pytest.raises(TerminalError) as caught:
        await say(pool.connection(target(server, credentials)))
    assert caught.value.reason == "AuthenticationFailed"
    assert caught.value.host == "h1"
    assert "wrong words" not in f"{caught.value} {caught.value.hint}"
    assert server.commands == []


async def test_a_changed_host_key_is_terminal_with_both_fingerprints(server, pool):
    other = asyncssh.generate_private_key("ssh-ed25519").convert_to_public()
    pinned = " ".join(other.export_public_key().decode().split()[:2])
    with pytest.raises(TerminalError) as caught:
        await say(pool.connection(target(server, keys=HostKeyPolicy(trust_on_first_use=True, pinned=pinned))))
    assert caught.value.reason == "HostKeyMismatch"
    assert other.get_fingerprint() in str(caught.value)
    assert server.host_key.get_fingerprint() in str(caught.value)


async def test_a_host_that_changed_the_kind_of_its_key_is_a_mismatch_too(server, pool):
    other = asyncssh.generate_private_key("ecdsa-sha2-nistp256").convert_to_public()
    pinned = " ".join(other.export_public_key().decode().split()[:2])
    with pytest.raises(TerminalError) as caught:
        await say(pool.connection(target(server, keys=HostKeyPolicy(pinned=pinned))))
    assert caught.value.reason == "HostKeyMismatch"


async def test_an_unknown_host_key_is_refused_when_strict(server, pool):
    with pytest.raises(TerminalError) as caught:
        await say(pool.connection(target(server, keys=HostKeyPolicy())))
    assert caught.value.reason == "HostKeyUnknown"
    assert server.host_key.get_fingerprint() in str(caught.value)


async def test_a_host_certificate_is_trusted_by_its_authority(tmp_path, pool):
    ca = asyncssh.generate_private_key("ssh-ed25519")
    key = asyncssh.generate_private_key("ssh-ed25519")
    certificate = ca.generate_host_certificate(key, "host", principals=["127.0.0.1"]).export_certificate()
    certified = await Server(tmp_path / "cert", authorized=PUBLIC, host_key=key, host_certificate=certificate).start()
    try:
        known = f"@cert-authority 127.0.0.1 {ca.export_public_key().decode()}"
        connection = pool.connection(target(certified, keys=HostKeyPolicy(known_hosts=known)))
        assert (await say(connection)).rc == 0
        assert (await say(connection)).rc == 0
        assert len(certified.connections) == 1
    finally:
        await certified.stop()


async def test_a_policy_that_no_longer_accepts_the_key_ends_a_live_connection(server, pool):
    await say(pool.connection(target(server, keys=TOFU)))
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    with pytest.raises(TerminalError) as caught:
        await say(pool.connection(target(server, keys=HostKeyPolicy(pinned=other))))
    assert caught.value.reason == "HostKeyMismatch"


async def test_a_closed_port_is_unreachable(server, pool):
    await server.stop()
    with pytest.raises(TransientError) as caught:
        await say(pool.connection(target(server)))
    assert caught.value.reason == "HostUnreachable"
    assert f"127.0.0.1:{server.port}" in str(caught.value)


async def test_a_server_that_never_speaks_is_unreachable_in_time():
    pool = Pool(SshSettings(connect_timeout=0.5, login_timeout=0.5))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(TransientError) as caught:
            await say(pool.connection(HostTarget("h1", "127.0.0.1", silent.getsockname()[1], Credentials(password="x"), TOFU)))
        assert caught.value.reason == "HostUnreachable"
        assert time.monotonic() - began < 5
    await pool.close()


async def test_a_link_that_breaks_in_a_command_is_no_success(server, pool):
    connection = pool.connection(target(server))
    await say(connection)
    running = asyncio.ensure_future(say(connection, "echo begun; sleep 30"))
    await eventually(lambda: server.sessions == 1)
    server.cut()
    with pytest.raises(TransientError) as caught:
        await running
    assert caught.value.reason == "HostUnreachable"


async def test_a_link_that_died_while_idle_is_made_anew(server, pool):
    connection = pool.connection(target(server))
    await say(connection)
    server.cut()
    assert (await say(connection)).rc == 0


async def test_an_idle_connection_closes_and_comes_back(server):
    pool = Pool(SshSettings(idle=0.1))
    connection = pool.connection(target(server))
    await say(connection)
    await eventually(lambda: not connection.alive)
    assert (await say(connection)).rc == 0
    await pool.close()


async def test_a_command_that_takes_too_long_is_left_alone(server, pool):
    with pytest.raises(TransientError, match=r"within 0\.5 s"):
        await pool.connection(target(server)).execute("sleep 30", within=0.5, doing="waiting")


async def test_what_start_up_files_print_is_ignored(server, pool):
    server.noise = b"Welcome to this machine!\xff\xfe no newline at the end"
    assert (await say(pool.connection(target(server)))).stdout == b"hello\n"


async def test_a_host_that_prints_without_end_is_contained(server, pool):
    server.flood = True
    with pytest.raises(TerminalError, match="MiB"):
        await say(pool.connection(target(server)))


async def test_a_script_that_prints_without_end_is_contained(server):
    pool = Pool(SshSettings(output_limit=1 << 20))
    with pytest.raises(TerminalError, match="1 MiB"):
        await say(pool.connection(target(server)), "yes")
    await pool.close()


async def test_errors_without_end_do_not_fill_memory(server, pool):
    output = await say(pool.connection(target(server)), "head -c 3000000 /dev/zero | tr '\\0' x >&2; echo end >&2")
    assert output.rc == 0
    assert len(output.stderr) <= 65536
    assert output.stderr.endswith("end\n")


async def test_errors_that_are_cut_show_no_piece_of_a_secret(server, pool):
    connection = pool.connection(target(server, Credentials(password="swordfish")))
    channel = SimpleNamespace(stderr=b"swordfish" + b"." * (STDERR_LIMIT - 4))
    assert connection.said(channel).startswith("***..")


async def test_big_input_arrives_whole(server, pool):
    data = bytes(range(256)) * 20000
    output = await say(pool.connection(target(server)), "wc -c", data)
    assert output.stdout.split() == [b"5120000"]


async def test_lines_are_told_as_they_come(server, pool):
    told = []

    def on_line(line):
        told.append(line)
        return line == "one"

    output = await pool.connection(target(server)).execute("echo one; echo two", within=20, on_line=on_line)
    assert told == ["one", "two"]
    assert output.stdout == b"two\n"


# sudo
