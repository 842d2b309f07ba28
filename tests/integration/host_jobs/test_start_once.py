"""A job starts once, is found again, and its end is read rather than repeated."""

import asyncio

import pytest

from sealcluster.core.errors import TransientError
from sealcluster.core.ops import Job
from sealcluster.core.ports import FactsQuery
from sshkit.jobs import COUNT, runs, until
from sshkit.machine import OURS, job


async def test_a_job_runs_and_its_words_come_back(m1):
    result = await m1.port().run(job(m1.shell("echo out; echo err >&2; exit 3")), 1, OURS)
    assert (result.rc, result.log) == (3, "out\nerr")
    assert result.seconds < 5


async def test_a_short_job_takes_one_command(m1):
    port = m1.port()
    await port.run(job(m1.shell("true")), 1, OURS)
    assert port.commands == 1


async def test_the_journal_says_what_happened(m1):
    await m1.port().run(job(m1.shell("exit 3"), "first"), 1, OURS)
    await m1.port().run(job(m1.shell("true"), "second"), 4, OURS)
    assert [(w[2], w[3], w[5], w[6]) for w in m1.box.journal()] == [
        ("started", "first", "1", "-"),
        ("failed", "first", "1", "3"),
        ("started", "second", "4", "-"),
        ("done", "second", "4", "0"),
    ]
    facts = await m1.port().facts(FactsQuery())
    assert facts.journal["first"].rc == 3
    assert facts.done("second", job(m1.shell("x")).digest)
    assert facts.attempts("second") == 4


async def test_the_same_attempt_started_five_times_at_once_runs_once(m1):
    op = m1.shell(COUNT + "sleep 0.5")
    results = await asyncio.gather(*(m1.port().run(job(op), 1, OURS) for _ in range(5)))
    assert [r.rc for r in results] == [0] * 5
    assert runs(m1) == 1
    assert len(m1.box.started()) == 1


async def test_an_ended_attempt_is_read_not_repeated(m1):
    op = m1.shell(COUNT + "exit 4")
    first = await m1.port().run(job(op), 1, OURS)
    assert await m1.port().run(job(op), 1, OURS) == first
    assert runs(m1) == 1


async def test_the_next_attempt_runs_again(m1):
    op = m1.shell(COUNT)
    for attempt in (1, 2, 3):
        assert (await m1.port().run(job(op), attempt, OURS)).rc == 0
    assert runs(m1) == 3


async def test_another_operator_attaches_to_a_running_job(m1):
    op = m1.shell(COUNT + "while ! [ -e go ]; do sleep 0.05; done; echo end")
    first = asyncio.ensure_future(m1.port().run(job(op), 1, OURS))
    await until(lambda: runs(m1) == 1, "the job runs")
    first.cancel()
    facts = await m1.port().facts(FactsQuery())
    assert facts.jobs["step"].state == "running"
    assert not facts.done("step")
    second = asyncio.ensure_future(m1.port().run(job(op), 1, OURS))
    m1.file("/work/go").touch()
    assert (await second).log == "working\nend"
    assert runs(m1) == 1


async def test_a_job_that_is_started_behind_our_back_does_not_run_twice(m1):
    await m1.port().run(job(m1.shell(COUNT)), 1, OURS)
    directory = next((m1.box.state / "jobs").iterdir())
    (directory / "rc").unlink()
    (directory / "in").mkdir()
    wrapper = await asyncio.create_subprocess_exec("/bin/sh", directory / "wrapper")
    assert await wrapper.wait() == 75
    assert runs(m1) == 1


async def test_a_job_that_cannot_start_is_a_failed_job(m1):
    (m1.box.units / "fail").write_text("Failed to connect to bus: No such file or directory\n")
    result = await m1.port().run(job(m1.shell(COUNT)), 1, OURS)
    assert result.rc == 71
    assert "connect to bus" in result.log
    (m1.box.units / "fail").unlink()
    assert (await m1.port().run(job(m1.shell(COUNT)), 1, OURS)).rc == 71
    assert runs(m1) == 0
    assert (await m1.port().run(job(m1.shell(COUNT)), 2, OURS)).rc == 0


@pytest.mark.parametrize("step", ["two words", "", "-x", "a\nb", "a'b"])
async def test_steps_that_would_break_the_journal_are_refused(m1, step):
    with pytest.raises(ValueError, match="plain word"):
        await m1.port().run(job(m1.shell("true"), step), 1, OURS)


async def test_a_job_whose_directory_would_be_anothers_is_refused_and_reads_nothing_of_it(m1):
    short = "0" * 12
    await m1.port().run(Job("step", f"{short}1", m1.shell("echo one"), 60), 1, OURS)
    journal = (m1.box.state / "journal").read_text()
    with pytest.raises(TransientError, match="is of another job"):
        await m1.port().run(Job("step", f"{short}2", m1.shell(COUNT), 60), 1, OURS)
    assert runs(m1) == 0
    assert (m1.box.state / "journal").read_text() == journal
