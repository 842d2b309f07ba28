"""What a job says comes back in measure and without secrets; its time is limited."""

import asyncio
import os
import signal

import pytest

from sealcluster.core.ops import RunScript
from sshkit.jobs import until
from sshkit.machine import OURS, job
from sshkit.sandbox import alive, shown

WAIT = "while ! [ -e go ]; do sleep 0.05; done"


async def test_a_job_that_takes_too_long_is_ended_with_all_its_children(m1):
    op = m1.shell("sleep 60 & echo $! >child; sleep 60")
    result = await m1.port().run(job(op, timeout=1), 1, OURS)
    assert result.rc == 124
    assert "time limit" in result.log
    child = int(m1.file("/work/child").read_text())
    await until(lambda: not alive(child), "the child is gone")


async def test_a_time_limit_is_one_on_a_machine_that_is_slow_to_start_the_job(m1):
    m1.box.tool("flock", '#!/bin/sh\n[ "$*" != "-w 30 9" ] || sleep 2\nexec /usr/bin/flock "$@"\n')
    result = await m1.port().run(job(m1.shell("sleep 60"), timeout=4), 1, OURS)
    assert result.rc == 124


async def test_the_time_limit_is_told_after_much_output(m1):
    result = await m1.port().run(job(m1.shell("head -c 2000000 /dev/zero | tr '\\0' y; sleep 60"), timeout=3), 1, OURS)
    assert result.rc == 124
    assert result.log.endswith("y\nended after 3 seconds: the time limit")


async def test_a_script_that_says_124_by_itself_met_no_time_limit(m1):
    result = await m1.port().run(job(m1.shell("exit 124")), 1, OURS)
    assert (result.rc, result.log) == (124, "")


async def test_a_daemon_that_keeps_the_output_open_does_not_hold_the_job(m1):
    result = await m1.port().run(job(m1.shell("setsid sleep 20 & echo $! >daemon; echo done")), 1, OURS)
    os.kill(int(m1.file("/work/daemon").read_text()), signal.SIGKILL)
    assert (result.rc, result.log) == (0, "done")


async def test_a_log_without_end_keeps_its_end_and_costs_little(m1):
    result = await m1.port().run(job(m1.shell("head -c 5000000 /dev/zero | tr '\\0' y; echo; echo the end")), 1, OURS)
    assert result.log.endswith("the end")
    assert len(result.log) < 70000
    directory = next((m1.box.state / "jobs").iterdir())
    assert sum(f.stat().st_size for f in directory.iterdir()) < 1_300_000


async def test_a_log_just_over_its_limit_keeps_its_last_lines(m1):
    result = await m1.port().run(job(m1.shell("head -c 1048560 /dev/zero | tr '\\0' y; echo; echo the reason; echo the end")), 1, OURS)
    assert result.log.startswith("[…]\ny")
    assert result.log.endswith("y\nthe reason\nthe end")


async def test_binary_words_do_no_harm(m1):
    result = await m1.port().run(job(m1.shell("head -c 3000 /dev/urandom; printf '\\n=abc rc 0 1\\nend\\n'")), 1, OURS)
    assert result.rc == 0
    assert result.log.endswith("end")


async def test_progress_is_told_line_by_line(m1):
    op = m1.shell("for i in 1 2 3; do echo step $i; sleep 1; done")
    told = []
    await m1.port().run(job(op), 1, OURS, told.append)
    assert "step 2" in told
    assert told == sorted(told)


async def test_secrets_are_masked_in_progress_and_result(m1):
    op = RunScript("/work", m1.shell('echo "password is $registryPassword"; sleep 2; exit 1').text, {"registryPassword": "swordfish"})
    told = []
    result = await m1.port().run(job(op), 1, OURS, told.append)
    assert result.log == "password is ***"
    assert "swordfish" not in "".join(told)


async def test_inputs_are_private_while_it_runs_and_gone_afterwards(m1):
    script = m1.shell("while ! [ -e go ]; do sleep 0.05; done").text
    op = RunScript("/work", script, {"registryPassword": "swordfish"})
    running = asyncio.ensure_future(m1.port().run(job(op), 1, OURS))
    await until(lambda: list((m1.box.state / "jobs").glob("step-*/in/env")), "the job is staged")
    directory = next((m1.box.state / "jobs").glob("step-*"))
    for file in (directory / "in").rglob("*"):
        assert file.stat().st_mode & 0o077 == 0
    for folder in (m1.box.state, m1.box.state / "jobs", directory):
        assert folder.stat().st_mode & 0o777 == 0o700
    assert shown(b"swordfish") == []
    m1.file("/work/go").touch()
    await running
    assert not (directory / "in").exists()
    assert not any(b"swordfish" in f.read_bytes() for f in m1.box.state.rglob("*") if f.is_file())


SECRET = "correct-horse-battery-staple-0123456789"


@pytest.mark.parametrize(
    "text",
    [
        f'printf "%0170d password=%s\\n" 0 "$registryPassword"; {WAIT}',
        f'printf "%03000d" 0; printf "%s%02030d\\n" "$registryPassword" 0; {WAIT}',
        f'printf "password=${{registryPassword%0123456789}}"; {WAIT}; echo 0123456789',
    ],
    ids=["a long line", "a line longer than is looked at", "a half-written line"],
)
async def test_progress_shows_no_piece_of_a_secret(m1, text):
    op = RunScript("/work", m1.shell(text).text, {"registryPassword": SECRET})
    told = []

    def tell(line):
        told.append(line)
        m1.file("/work/go").touch()

    await m1.port().run(job(op), 1, OURS, tell)
    assert told
    assert all(len(line) <= 200 for line in told)
    assert not any(SECRET[at : at + 4] in line for line in told for at in range(len(SECRET) - 4))


@pytest.mark.parametrize("before", [0, 1048576], ids=["a log", "a log over its limit"])
async def test_a_log_that_is_cut_shows_no_piece_of_a_secret(m1, before):
    text = f"dots() {{ head -c $1 /dev/zero | tr '\\0' .; }}; dots {before}; printf $registryPassword; dots {65536 - 30}"
    op = RunScript("/work", m1.shell(text).text, {"registryPassword": SECRET})
    result = await m1.port().run(job(op), 1, OURS)
    assert result.log.startswith("[…]\n***....")


async def test_a_private_key_whose_beginning_is_cut_off_is_masked(m1):
    key = "-----BEGIN EC PRIVATE KEY-----\n" + f"{'MHcCAQEEIKab' * 5}\n" * 3 + "-----END EC PRIVATE KEY-----\n"
    op = m1.shell(f"cat key; head -c {65536 - 150} /dev/zero | tr '\\0' .")
    m1.file("/work/key").write_text(key)
    result = await m1.port().run(job(op), 1, OURS)
    assert result.log.startswith("[…]\n***\n....")
