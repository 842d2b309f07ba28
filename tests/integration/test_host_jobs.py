"""Jobs: started once, survive whatever happens to the link, and are found again. Against a real sshd; systemd is played by stand-ins."""

import asyncio
import os
import signal

import pytest

from sealcluster.core.errors import Fenced, TerminalError, TransientError
from sealcluster.core.ops import Claim, Job, PutFiles, RunScript
from sealcluster.core.ops import File as OpFile
from sealcluster.core.ports import FactsQuery, Fence
from sealcluster.host.jobs import Patience
from sshkit.machine import OURS, job, machine
from sshkit.sandbox import alive, fill, shown, small_disk, wait_for


@pytest.fixture
async def m1(tmp_path):
    with machine(tmp_path) as made:
        yield made
        await made.close()


COUNT = "echo once >>runs; echo working; "


def runs(m1):
    file = m1.file("/work/runs")
    return len(file.read_text().split()) if file.exists() else 0


async def until(condition, what, seconds=15.0):
    await asyncio.to_thread(wait_for, condition, what, seconds)


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


async def test_a_job_that_is_started_behind_our_back_does_not_run_twice(m1):
    await m1.port().run(job(m1.shell(COUNT)), 1, OURS)
    directory = next((m1.box.state / "jobs").iterdir())
    (directory / "rc").unlink()
    (directory / "in").mkdir()
    wrapper = await asyncio.create_subprocess_exec("/bin/sh", directory / "wrapper")
    assert await wrapper.wait() == 75
    assert runs(m1) == 1


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


async def test_a_job_that_cannot_start_is_a_failed_job(m1):
    (m1.box.units / "fail").write_text("Failed to connect to bus: No such file or directory\n")
    result = await m1.port().run(job(m1.shell(COUNT)), 1, OURS)
    assert result.rc == 71
    assert "connect to bus" in result.log
    (m1.box.units / "fail").unlink()
    assert (await m1.port().run(job(m1.shell(COUNT)), 1, OURS)).rc == 71
    assert runs(m1) == 0
    assert (await m1.port().run(job(m1.shell(COUNT)), 2, OURS)).rc == 0


# Whose host it is


async def test_a_host_of_another_cluster_is_refused_and_not_touched(m1):
    m1.free()
    await m1.port().run(job(Claim("other", "n7"), "claim"), 1, Fence("other", 9))
    before = {f: f.read_bytes() for f in m1.box.state.rglob("*") if f.is_file()}
    with pytest.raises(TerminalError) as caught:
        await m1.port().run(job(m1.shell(COUNT)), 1, OURS)
    assert caught.value.reason == "HostOfAnotherCluster"
    assert "other as n7" in str(caught.value)
    assert {f: f.read_bytes() for f in m1.box.state.rglob("*") if f.is_file()} == before
    assert runs(m1) == 0


async def test_a_machine_that_is_nobodys_is_not_touched(m1):
    m1.free()
    with pytest.raises(TransientError, match="belongs to nobody"):
        await m1.port().run(job(m1.shell(COUNT)), 1, OURS)
    assert runs(m1) == 0
    assert list(m1.box.state.iterdir()) == []


async def test_what_ran_before_a_machine_was_released_runs_again_after_it_was_claimed_anew(m1):
    op = m1.shell(COUNT)
    await m1.port().run(job(op), 1, OURS)
    m1.free()
    await until(lambda: not any(alive(pid) for pid in m1.box.pids()), "its unit to be gone")
    for unit in m1.box.units.glob("sealcluster-*"):
        unit.unlink()  # a process that nobody reaped yet must not count as a unit that runs
    await m1.port().run(job(Claim("c1", "m1"), "claim"), 1, OURS)
    assert (await m1.port().run(job(op), 1, OURS)).rc == 0
    assert runs(m1) == 2


async def test_an_older_operator_is_fenced(m1):
    await m1.port().run(job(m1.shell(COUNT), name="a"), 1, Fence("c1", 6))
    with pytest.raises(Fenced) as caught:
        await m1.port().run(job(m1.shell(COUNT), name="b"), 1, Fence("c1", 5))
    assert "6" in str(caught.value)
    assert runs(m1) == 1
    assert (await m1.port().facts(FactsQuery())).fence == 6


async def test_an_older_operator_may_not_even_read_a_result(m1):
    op = m1.shell(COUNT)
    await m1.port().run(job(op), 1, Fence("c1", 5))
    await m1.port().run(job(op, name="y"), 1, Fence("c1", 6))
    with pytest.raises(Fenced):
        await m1.port().run(job(op), 1, Fence("c1", 5))


async def test_a_torn_fence_file_does_not_lock_anybody_out(m1):
    await m1.port().run(job(m1.shell("true")), 1, OURS)
    (m1.box.state / "fence").write_text("c1 ")
    assert (await m1.port().run(job(m1.shell("true")), 2, OURS)).rc == 0
    assert (await m1.port().facts(FactsQuery())).fence == OURS.number


@pytest.mark.parametrize("step", ["two words", "", "-x", "a\nb", "a'b"])
async def test_steps_that_would_break_the_journal_are_refused(m1, step):
    with pytest.raises(ValueError, match="plain word"):
        await m1.port().run(job(m1.shell("true"), step), 1, OURS)


# Crashes of the host in between, and a full disk


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


async def test_a_job_whose_directory_would_be_anothers_is_refused_and_reads_nothing_of_it(m1):
    short = "0" * 12
    await m1.port().run(Job("step", f"{short}1", m1.shell("echo one"), 60), 1, OURS)
    journal = (m1.box.state / "journal").read_text()
    with pytest.raises(TransientError, match="is of another job"):
        await m1.port().run(Job("step", f"{short}2", m1.shell(COUNT), 60), 1, OURS)
    assert runs(m1) == 0
    assert (m1.box.state / "journal").read_text() == journal


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
        await m1.port().run(job(PutFiles((OpFile("/etc/x", b"x" * 100_000),))), 1, OURS)
    assert caught.value.reason == "DiskFull"
    (little / "filler").unlink()
    assert (await m1.port().run(job(PutFiles((OpFile("/etc/x", b"x" * 100_000),))), 1, OURS)).rc == 0


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
