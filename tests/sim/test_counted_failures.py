"""What fails again and again is counted, tried more and more rarely, and told to a person; that it is undone in between changes nothing."""

import asyncio

import pytest

from sealcluster.core.ops import JobResult
from sealcluster.testing.model import host as model
from sim.lives import cluster, live

CASES = {"KubeadmInit": ("m1", "kubeadm-init"), "KubeadmJoin": ("m2", "kubeadm-join")}


@pytest.mark.parametrize("kind", CASES)
def test_kubeadm_that_always_fails_is_told(monkeypatch, kind):
    carry_out = model.carry_out
    name, step = CASES[kind]

    async def broken(execution):
        if execution.kind == kind and execution.machine.name == name:
            await asyncio.sleep(5)
            return JobResult(1, "error execution phase: it is broken", "", 5.0)
        return await carry_out(execution)

    monkeypatch.setattr(model, "carry_out", broken)

    async def story(life):
        report = await life.until(lambda r: r.blocked, 1500)
        (failed,) = [f for f in report.view.failures.values() if f.problem.host == name]
        assert failed.count >= 6
        assert life.machine(name).journal[step].attempt <= 8
        monkeypatch.undo()
        await life.settled(900)

    live(cluster("m1", "m2"), story)


def test_a_master_that_fails_to_join_does_not_keep_the_next_one_waiting(monkeypatch):
    carry_out = model.carry_out

    async def broken(execution):
        if execution.kind == "KubeadmJoin" and execution.machine.name == "m2":
            return JobResult(1, "error execution phase: it is broken", "", 0.0)
        return await carry_out(execution)

    monkeypatch.setattr(model, "carry_out", broken)

    async def story(life):
        await life.until(lambda r: "m3" in r.view.cluster.ready_masters, 600)
        assert life.voters() == ["m1", "m3"]

    live(cluster("m1", "m2", "m3"), story)
