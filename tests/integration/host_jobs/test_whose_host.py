"""A machine starts jobs of its own cluster only, and of no older operator."""

import asyncio

import pytest

from sealcluster.core.errors import Fenced, TerminalError, TransientError
from sealcluster.core.ops import Claim, RunScript
from sealcluster.core.ports import FactsQuery, Fence
from sshkit.jobs import COUNT, runs, until
from sshkit.machine import OURS, job
from sshkit.sandbox import alive


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


async def test_nothing_starts_on_a_machine_that_is_released_while_the_job_is_staged(m1):
    held, go = m1.file("/held"), m1.file("/go")
    m1.box.tool("tar", f'#!/bin/sh\n: >{held}\nwhile ! [ -e {go} ]; do sleep 0.02; done\nexec /usr/bin/tar "$@"\n')
    late = asyncio.ensure_future(m1.port().run(job(m1.shell(COUNT)), 1, OURS))
    await until(held.exists, "it is staged")
    m1.free()
    go.touch()
    with pytest.raises(TransientError, match="belongs to nobody"):
        await late
    assert runs(m1) == 0
    assert not m1.box.state.exists()


async def test_a_refused_job_leaves_no_secret(m1):
    await m1.port().run(job(m1.shell("true"), name="a"), 1, Fence("c1", 6))
    with pytest.raises(Fenced):
        await m1.port().run(job(RunScript("/work", "script", {"registryPassword": "swordfish"}), name="b"), 1, Fence("c1", 5))
    assert not m1.box.holding(b"swordfish")
