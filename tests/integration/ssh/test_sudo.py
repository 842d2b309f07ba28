"""Becoming root on a server in this process, by all that sudo may want."""

import asyncio

import pytest

from sealcluster.core.errors import TerminalError, TransientError
from sealcluster.core.ports import Credentials
from sshkit.logins import PRIVATE, say, target


async def test_sudo_without_password(server, pool):
    server.sudo()
    output = await say(pool.connection(target(server, Credentials(user="ops", private_key=PRIVATE))), "echo $SUDO_USER; cat", b"data")
    assert output.stdout == b"test\ndata"


async def test_sudo_with_password(server, pool):
    server.sudo("open sesame")
    credentials = Credentials(user="ops", private_key=PRIVATE, become_password="open sesame")
    assert (await say(pool.connection(target(server, credentials)), "echo $SUDO_USER; cat", b"data")).stdout == b"test\ndata"
    assert "open sesame" not in "".join(server.commands)


async def test_sudo_that_needs_a_terminal(server, pool):
    server.sudo("open sesame", tty=True)
    credentials = Credentials(user="ops", private_key=PRIVATE, become_password="open sesame")
    connection = pool.connection(target(server, credentials))
    assert (await say(connection, "echo $SUDO_USER; cat", b"data\n\x03\x04more\n")).stdout == b"test\ndata\n\x03\x04more\n"
    assert (await say(connection)).stdout == b"hello\n"


async def test_sudo_that_needs_a_terminal_and_no_password(server, pool):
    server.sudo(tty=True)
    connection = pool.connection(target(server, Credentials(user="ops", private_key=PRIVATE)))
    assert (await say(connection, "echo $SUDO_USER; cat", b"data")).stdout == b"test\ndata"


async def test_several_first_commands_at_once_find_out_that_sudo_needs_a_terminal(server, pool):
    server.sudo(tty=True)
    connection = pool.connection(target(server, Credentials(user="ops", private_key=PRIVATE)))
    said = await asyncio.gather(*(say(connection) for _ in range(3)))
    assert [output.stdout for output in said] == [b"hello\n"] * 3


async def test_that_sudo_needs_a_terminal_is_found_out_although_the_first_command_was_lost(server, pool):
    server.sudo(tty=True)
    sudo = server.home / "sudo"
    text = sudo.read_text()
    sudo.write_text("#!/bin/sh\nexec sleep 30\n")
    connection = pool.connection(target(server, Credentials(user="ops", private_key=PRIVATE)))
    with pytest.raises(TransientError):
        await connection.execute("echo hello", within=1)
    sudo.write_text(text)
    assert (await say(connection)).stdout == b"hello\n"


@pytest.mark.parametrize("password", ["wrong words", None], ids=["wrong", "missing"])
async def test_sudo_that_refuses_is_terminal(server, pool, password):
    server.sudo("open sesame")
    credentials = Credentials(user="ops", private_key=PRIVATE, become_password=password)
    with pytest.raises(TerminalError) as caught:
        await say(pool.connection(target(server, credentials)))
    assert caught.value.reason == "SudoFailed"
    assert "password" in caught.value.output
    assert "wrong words" not in f"{caught.value} {caught.value.output}"


async def test_a_wrong_password_is_tried_once(server, pool):
    server.sudo("open sesame")
    with pytest.raises(TerminalError):
        await say(pool.connection(target(server, Credentials(user="ops", private_key=PRIVATE, become_password="wrong words"))))
    assert (server.home / "tries").read_text() == "try\ntry\n"  # the second time it only asked


async def test_a_wrong_password_on_a_terminal_is_terminal_too(server, pool):
    server.sudo("open sesame", tty=True)
    with pytest.raises(TerminalError) as caught:
        await say(pool.connection(target(server, Credentials(user="ops", private_key=PRIVATE, become_password="wrong words"))))
    assert caught.value.reason == "SudoFailed"


async def test_a_password_that_sudo_does_not_ask_for_is_kept(server, pool):
    server.sudo()
    credentials = Credentials(user="ops", private_key=PRIVATE, become_password="open sesame")
    assert (await say(pool.connection(target(server, credentials)), "cat", b"data")).stdout == b"data"


# a bastion
