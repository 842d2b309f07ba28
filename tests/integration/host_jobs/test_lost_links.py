"""Jobs survive whatever happens to the link; a reboot ends them for good."""

import asyncio

import pytest

from sealcluster.core.errors import TransientError
from sealcluster.core.ports import FactsQuery
from sealcluster.host.jobs import Patience
from sshkit.jobs import COUNT, runs, until
from sshkit.machine import OURS, job


async def test_a_lost_link_is_made_anew_within_the_call(m1):
    op = m1.shell(COUNT + "while ! [ -e go ]; do sleep 0.05; done")
    running = asyncio.ensure_future(m1.port().run(job(op), 1, OURS))
    await until(lambda: runs(m1) == 1, "the job runs")
    for _ in range(3):
        await until(m1.sshd.sessions, "a connection is there")
        m1.sshd.cut()
    m1.file("/work/go").touch()
    assert (await running).rc == 0
    assert runs(m1) == 1


async def test_a_job_outlives_the_ssh_service(m1):
    op = m1.shell(COUNT + "while ! [ -e go ]; do sleep 0.05; done")
    running = asyncio.ensure_future(m1.port().run(job(op), 1, OURS))
    await until(lambda: runs(m1) == 1, "the job runs")
    m1.sshd.stop()
    m1.file("/work/go").touch()
    m1.sshd.start()
    assert (await running).rc == 0
    assert runs(m1) == 1


async def test_a_link_that_stays_lost_is_transient_and_the_job_goes_on(m1):
    op = m1.shell(COUNT + "while ! [ -e go ]; do sleep 0.05; done")
    running = asyncio.ensure_future(m1.port(Patience(poll=5, reconnect=0.3, pause=0.05)).run(job(op), 1, OURS))
    await until(lambda: runs(m1) == 1, "the job runs")
    m1.sshd.stop()
    with pytest.raises(TransientError) as caught:
        await running
    assert caught.value.reason == "HostUnreachable"
    m1.file("/work/go").touch()
    m1.sshd.start()
    assert (await m1.port().run(job(op), 1, OURS)).rc == 0
    assert runs(m1) == 1


async def test_a_host_that_is_down_is_told_at_once(m1):
    m1.sshd.stop()
    async with asyncio.timeout(5):
        with pytest.raises(TransientError) as caught:
            await m1.port().run(job(m1.shell("true")), 1, OURS)
    assert caught.value.reason == "HostUnreachable"


async def test_a_reboot_interrupts_a_job_for_good(m1):
    op = m1.shell(COUNT + "sleep 60")
    running = asyncio.ensure_future(m1.port().run(job(op), 1, OURS))
    await until(lambda: runs(m1) == 1, "the job runs")
    m1.box.power_off()
    with pytest.raises(TransientError, match="interrupted"):
        await running
    facts = await m1.port().facts(FactsQuery())
    assert facts.jobs["step"].state == "interrupted"
    assert facts.attempts("step") == 1
    with pytest.raises(TransientError, match="interrupted"):
        await m1.port().run(job(op), 1, OURS)
    assert runs(m1) == 1


async def test_an_interrupted_attempt_never_runs_even_if_its_directory_is_lost(m1):
    op = m1.shell(COUNT)
    await m1.port().run(job(op), 1, OURS)
    for directory in (m1.box.state / "jobs").iterdir():
        directory.rename(m1.box.root / "lost")
    with pytest.raises(TransientError, match="interrupted"):
        await m1.port().run(job(op), 1, OURS)
    assert runs(m1) == 1
