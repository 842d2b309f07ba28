"""Jobs: started once, found again, cut off for good."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from contract.rig import CLUSTER, WORK, Rig, case, claim, count, fence, job, look, script, until
from sealcluster.core.errors import TransientError
from sealcluster.core.facts import Owner
from sealcluster.core.ops import RunScript


@case
async def a_failure_is_a_result_with_its_last_words(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    op = await script(host, "fails.sh", "echo going down\nexit 3\n")
    result = await host.run(job("fails", op), 1, fence())
    assert result.rc == 3
    assert "going down" in result.log
    entry = (await look(host)).journal["fails"]
    assert (entry.state, entry.rc, entry.attempt) == ("failed", 3, 1)


@case
async def the_same_attempt_never_runs_twice(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    op = await script(host, "once.sh", f"echo ran >> {WORK}/once\nexit 4\n")
    first = await host.run(job("once", op), 1, fence())
    again = await rig.connect().run(job("once", op), 1, fence(2))
    assert (first.rc, again.rc) == (4, 4)
    assert await count(rig, "once") == 1
    await host.run(job("once", op), 2, fence(2))
    assert await count(rig, "once") == 2


@case
async def many_callers_of_one_attempt_share_one_run(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    op = await script(host, "shared.sh", f"echo ran >> {WORK}/shared\nsleep 2\n")
    results = await asyncio.gather(*(rig.connect().run(job("shared", op), 1, fence()) for _ in range(4)))
    assert [r.rc for r in results] == [0, 0, 0, 0]
    assert await count(rig, "shared") == 1


@case
async def a_job_outlives_the_one_who_started_it(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    op = await script(host, "long.sh", f"echo ran >> {WORK}/long\nsleep 12\necho ended >> {WORK}/long\n")
    caller = asyncio.create_task(host.run(job("long", op), 1, fence()))

    async def runs() -> bool:
        found = (await look(rig.connect())).jobs.get("long")
        return found is not None and found.state == "running"

    await until("the job to run", runs)
    caller.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await caller
    new = rig.connect()
    assert await runs()
    assert (await new.run(job("long", op), 1, fence(2))).rc == 0
    assert await count(rig, "long") == 2
    facts = await look(new)
    assert facts.done("long")
    assert "long" not in facts.jobs


@case
async def a_job_outlives_the_link(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    op = await script(host, "far.sh", f"echo ran >> {WORK}/far\nsleep 5\n")
    caller = asyncio.create_task(host.run(job("far", op), 1, fence()))

    async def began() -> bool:
        return await count(rig, "far") == 1

    await until("the job to begin", began)
    await rig.cut()
    with pytest.raises(TransientError):
        await caller
    await rig.heal()
    assert (await rig.connect().run(job("far", op), 1, fence())).rc == 0
    assert await count(rig, "far") == 1


@case
async def a_job_cut_off_by_power_loss_is_interrupted_not_forgotten(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    op = await script(host, "cut.sh", f"echo ran >> {WORK}/cut\nsleep 300\n")
    caller = asyncio.create_task(host.run(job("cut", op, timeout=900), 1, fence()))

    async def began() -> bool:
        return await count(rig, "cut") == 1

    await until("the job to begin", began)
    boot = (await look(rig.connect())).boot_id
    await rig.power_cycle()
    with pytest.raises(TransientError):
        await caller
    new = rig.connect()
    facts = await look(new)
    assert facts.boot_id != boot
    assert facts.owner == Owner(CLUSTER, "m1")
    assert facts.jobs["cut"].state == "interrupted"
    assert facts.attempts("cut") == 1
    assert not facts.done("cut")
    with pytest.raises(TransientError):
        await new.run(job("cut", op, timeout=900), 1, fence())
    quick = await script(new, "quick.sh", "true\n")
    assert (await new.run(job("cut", quick, "d2"), 2, fence())).rc == 0
    assert (await look(new)).done("cut")
    assert await count(rig, "cut") == 1


@case
async def the_journal_tells_what_came_after_what(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    op = await script(host, "order.sh", "true\n")
    for step, attempt in (("zeta", 1), ("alpha", 1), ("zeta", 2)):
        await host.run(job(step, op), attempt, fence())
    facts = await look(host)
    assert [step for step in facts.journal if step in ("zeta", "alpha")] == ["alpha", "zeta"]
    assert facts.after("zeta", "alpha")
    assert not facts.after("alpha", "zeta")


@case
async def a_job_that_takes_too_long_is_ended(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    op = await script(host, "slow.sh", "sleep 600\n")
    result = await host.run(job("slow", op, timeout=12), 1, fence())
    assert result.rc == 124
    assert (await look(host)).journal["slow"].state == "failed"


@case
async def scripts_get_their_environment(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    op = await script(host, "env.sh", "echo got $WORD\n")
    result = await host.run(job("env", RunScript(op.cwd, op.text, {"WORD": "seal"})), 1, fence())
    assert "got seal" in result.log
