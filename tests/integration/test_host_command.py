"""A person's own command on a host (`sealcluster exec`), through a real sshd."""

import asyncio

import pytest

from sealcluster.core.errors import TransientError
from sshkit.machine import machine


@pytest.fixture
async def m1(tmp_path):
    with machine(tmp_path) as made:
        yield made
        await made.close()


async def test_both_streams_come_line_by_line_and_the_exit_code_at_the_end(m1):
    lines = []
    rc = await m1.port().command("echo one; echo two >&2; printf 'no end'; exit 3", within=30, on_line=lines.append)
    assert (rc, lines) == (3, ["one", "two", "no end"])


async def test_lines_come_while_it_runs(m1):
    first = asyncio.Event()
    flag = m1.box.root / "go"
    work = asyncio.create_task(
        m1.port().command(f"echo one; while [ ! -e {flag} ]; do sleep 0.05; done; echo two", within=30, on_line=lambda _line: first.set())
    )
    await asyncio.wait_for(first.wait(), 20)
    assert not work.done()
    flag.touch()
    assert await work == 0


async def test_the_text_is_in_no_list_of_processes_and_its_commands_get_no_input(m1):
    lines = []
    await m1.port().command(
        "password=c4nary; cat; tr '\\0' ' ' </proc/$$/cmdline; echo; echo \"${#password}\"", within=30, on_line=lines.append
    )
    assert lines[-1] == "6"
    assert "c4nary" not in "\n".join(lines)


async def test_secrets_of_the_login_are_masked(m1):
    key = m1.sshd.user_key.splitlines()[2]
    lines = []
    await m1.port().command(f"echo '{key}'", within=30, on_line=lines.append)
    assert lines == ["***"]


async def test_patience_ends(m1):
    with pytest.raises(TransientError, match=r"no answer to running a command within 0\.5 s"):
        await m1.port().command("sleep 30", within=0.5, on_line=lambda _line: None)
