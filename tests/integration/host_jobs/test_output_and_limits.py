"""What a job says comes back in measure and without secrets; its time is limited."""

import asyncio
import os
import signal

from sealcluster.core.ops import RunScript
from sshkit.jobs import until
from sshkit.machine import OURS, job
from sshkit.sandbox import alive, shown


async def test_a_job_that_takes_too_long_is_ended_with_all_its_children(m1):
    op = m1.shell("sleep 60 & echo $! >child; sleep 60")
    result = await m1.port().run(job(op, timeout=1), 1, OURS)
    assert result.rc == 124
    assert "time limit" in result.log
    child = int(m1.file("/work/child").read_text())
    await until(lambda: not alive(child), "the child is gone")


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
