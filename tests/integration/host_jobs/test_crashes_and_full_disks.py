"""The machine crashes in between, its disk is full, its journal grows: nothing is lost, nothing starts twice."""

import asyncio
import os
import time

import pytest

from sealcluster.core.errors import TransientError
from sealcluster.core.ops import File, PutFiles, RunScript
from sealcluster.core.ports import FactsQuery
from sshkit.jobs import COUNT, runs, until
from sshkit.machine import OURS, job
from sshkit.sandbox import fill, small_disk


async def test_a_torn_journal_line_does_not_hurt_the_next_one(m1):
    await m1.port().run(job(m1.shell("true"), "first"), 1, OURS)
    with (m1.box.state / "journal").open("a") as journal:
        journal.write("j1 17 started sec")
    await m1.port().run(job(m1.shell("true"), "second"), 1, OURS)
    facts = await m1.port().facts(FactsQuery())
    assert facts.done("first")
    assert facts.done("second")


async def test_a_crash_between_staging_and_journal_leaves_nothing_started(m1):
    (m1.box.state / "jobs/.stage.abc").mkdir(parents=True)
    op = m1.shell(COUNT)
    assert (await m1.port().run(job(op), 1, OURS)).rc == 0
    assert runs(m1) == 1


async def test_a_crash_between_journal_and_start_counts_as_an_attempt(m1):
    await m1.port().run(job(m1.shell("true"), "first"), 1, OURS)
    wanted = job(m1.shell(COUNT))
    with (m1.box.state / "journal").open("a") as journal:
        journal.write(f"j1 17 started step {wanted.digest} 1 - .\n")
    with pytest.raises(TransientError, match="interrupted"):
        await m1.port().run(wanted, 1, OURS)
    assert runs(m1) == 0
    assert (await m1.port().facts(FactsQuery())).attempts("step") == 1


async def test_a_result_whose_journal_line_is_missing_gets_it(m1):
    await m1.port().run(job(m1.shell("exit 2")), 1, OURS)
    lines = (m1.box.state / "journal").read_text().splitlines(keepends=True)
    (m1.box.state / "journal").write_text(lines[0])
    assert (await m1.port().facts(FactsQuery())).journal["step"].state == "failed"
    assert (await m1.port().run(job(m1.shell("exit 2")), 1, OURS)).rc == 2
    assert [w[2] for w in m1.box.journal()] == ["started", "failed"]


async def test_a_long_journal_is_compacted_to_the_last_words(m1):
    await m1.port().run(job(m1.shell("true"), "first"), 1, OURS)
    with (m1.box.state / "journal").open("a") as journal:
        for n in range(3000):
            journal.write(f"j1 {n} done often {'a' * 64} {n + 1} 0 .\n")
    await m1.port().run(job(m1.shell("true"), "last"), 1, OURS)
    assert (m1.box.state / "journal").stat().st_size < 2000
    facts = await m1.port().facts(FactsQuery())
    assert facts.done("first")
    assert facts.attempts("often") == 3000
    assert facts.done("last")


async def test_old_directories_are_swept_but_never_a_running_one(m1):
    slow = m1.shell("while ! [ -e go ]; do sleep 0.05; done")
    running = asyncio.ensure_future(m1.port().run(job(slow, "slow"), 1, OURS))
    await until(lambda: list((m1.box.state / "jobs").glob("slow-*")), "the job is there")
    for n in range(60):
        old = m1.box.state / f"jobs/old-{n}-1"
        old.mkdir()
        (old / "id").write_text(f"old {n} 1\n")
        (old / "rc").write_text("0 0\n")
    (m1.box.root / "work/other").write_text("true")
    await m1.port().run(job(RunScript("/work", "other"), "next"), 1, OURS)
    left = [d.name for d in (m1.box.state / "jobs").iterdir()]
    assert len(left) <= 50
    assert any(name.startswith("slow-") for name in left)
    m1.file("/work/go").touch()
    assert (await running).rc == 0


@pytest.fixture
def little(m1):
    """/var/lib/sealcluster on a file system of 3 MiB."""
    with small_disk(m1.box.state, "3m") as folder:
        m1.own()
        yield folder


async def test_a_full_disk_is_named_and_heals(m1, little):
    fill(little)
    with pytest.raises(TransientError) as caught:
        await m1.port().run(job(PutFiles((File("/etc/x", b"x" * 100_000),))), 1, OURS)
    assert caught.value.reason == "DiskFull"
    (little / "filler").unlink()
    assert (await m1.port().run(job(PutFiles((File("/etc/x", b"x" * 100_000),))), 1, OURS)).rc == 0


async def test_the_end_of_a_job_is_journalled_on_a_full_disk(m1, little):
    op = m1.shell("echo working; while ! [ -e go ]; do sleep 0.05; done")
    running = asyncio.ensure_future(m1.port().run(job(op), 1, OURS))
    await until(lambda: list((little / "jobs").glob("step-*/log")), "the job runs")
    await until((little / "reserve").exists, "the reserve is there")
    fill(little)
    m1.file("/work/go").touch()
    assert (await running).rc == 0
    assert m1.box.journal()[-1][2] == "done"
    assert not (little / "reserve").exists()


async def test_secrets_of_a_job_that_was_cut_off_go_when_the_next_one_starts(m1):
    op = RunScript("/work", m1.shell("while ! [ -e go ]; do sleep 0.05; done").text, {"registryPassword": "swordfish"})
    running = asyncio.ensure_future(m1.port().run(job(op), 1, OURS))
    await until(lambda: list((m1.box.state / "jobs").glob("step-*/log")), "the job runs")
    beside = asyncio.ensure_future(m1.port().run(job(m1.shell("while ! [ -e go ]; do sleep 0.05; done"), "beside"), 1, OURS))
    await until(lambda: list((m1.box.state / "jobs").glob("beside-*/log")), "another job starts")
    assert m1.box.holding(b"swordfish"), "it still needs them"
    m1.box.power_off()
    for cut in (running, beside):
        with pytest.raises(TransientError, match="interrupted"):
            await cut
    assert (await m1.port().facts(FactsQuery())).jobs["step"].state == "interrupted"
    await m1.port().run(job(m1.shell("true"), "next"), 1, OURS)
    assert not m1.box.holding(b"swordfish")
    assert (await m1.port().facts(FactsQuery())).jobs["step"].state == "interrupted"
    m1.file("/work/go").touch()
    assert (await m1.port().run(job(op), 2, OURS)).rc == 0
    assert "step" not in (await m1.port().facts(FactsQuery())).jobs


async def test_what_was_staged_and_never_started_goes_after_an_hour(m1):
    await m1.port().run(job(m1.shell("true"), "first"), 1, OURS)
    for name, age in (("old", 2 * 3600), ("new", 60)):
        stage = m1.box.state / f"jobs/.stage.{name}"
        stage.mkdir()
        (stage / "env").write_text("swordfish")
        os.utime(stage, (time.time() - age,) * 2)
    await m1.port().run(job(m1.shell("true"), "second"), 1, OURS)
    assert m1.box.holding(b"swordfish") == ["jobs/.stage.new/env"]


async def test_a_file_system_that_is_read_only_now_is_named(m1, little):
    await m1.port().run(job(m1.shell("true")), 1, OURS)
    remade = await asyncio.create_subprocess_exec("mount", "-o", "remount,ro", little)
    assert await remade.wait() == 0
    for attempt in (1, 2):
        with pytest.raises(TransientError, match="Read-only file system") as caught:
            await m1.port().run(job(m1.shell("true")), attempt, OURS)
        assert "writable" in caught.value.hint
