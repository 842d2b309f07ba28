"""Bugs that the simulation found, each with the smallest story that shows it. Remove the xfail mark with the fix."""

import asyncio

import pytest

from sealcluster.phases import turn
from sealcluster.testing import clock, scenarios, specs, truth
from sealcluster.testing.driver import Simulation
from sim.lives import job_runs


def rows(names):
    """``m1,m2,w1``: rows whose address depends on the name alone."""
    return specs.spec(
        hosts=[specs.host(n, {"m": 0, "w": 20}[n[0]] + int(n[1:]), "master" if n[0] == "m" else "node") for n in names.split(",")]
    )


def verdict(spec, tell, limit=20_000):
    """Tell a story with the engine running and say what was violated."""

    async def main():
        sim = Simulation(1, spec)
        sim.on_report = lambda report: truth.check(sim, report)
        sim.start()
        try:
            await tell(sim)
            await sim.until(scenarios.ready, 3600)
        finally:
            found = truth.verdict(sim)
            await sim.end()
        return found

    return clock.run(main(), limit=limit)


@pytest.mark.parametrize("step", ["kubeadm-init", "pull"])
def test_a_link_that_is_lost_while_a_job_runs_starts_nothing_twice(step):
    async def tell(sim):
        await job_runs(sim, "m1", step)
        await asyncio.sleep(1)
        sim.world.machine("m1").slow = 3.0
        sim.world.network.cut.add("m1")
        await asyncio.sleep(20)
        sim.world.network.cut.discard("m1")

    assert verdict(rows("m1,w1"), tell) == []


@pytest.mark.parametrize("slow", ["m2", "m3"])
def test_masters_join_one_at_a_time_whichever_is_prepared_first(slow):
    async def tell(sim):
        sim.world.machine(slow).slow = 3.0
        for other in {"m2", "m3"} - {slow}:
            await job_runs(sim, other, "kubeadm-join")
            sim.world.machine(other).slow = 6.0
            sim.world.machine(slow).slow = 0.5

    assert verdict(rows("m1,m2,m3"), tell) == []


@pytest.mark.parametrize(("before", "after"), [("m1,m2,m3,w1", "m1,w1"), ("m1,m2,m3,w1", "m2,m3,m4,w1")])
def test_masters_leave(before, after, monkeypatch):
    monkeypatch.setattr(scenarios, "PATIENCE", 1500.0)
    assert scenarios.edit(rows(before), rows(after), seed=1).problems == []


def test_a_registry_that_is_being_started_is_left_alone_by_the_next_operator():
    async def tell(sim):
        sim.world.machine("m1").slow = 8.0
        await job_runs(sim, "m1", "registry")
        await sim.operators[-1].kill()
        sim.start()

    assert verdict(rows("m1,w1"), tell) == []


async def _early_in_its_join(sim, name):
    """Its link is cut before etcd knows of it; the job on the machine goes on, for as long as it may."""
    await job_runs(sim, name, "kubeadm-join")
    sim.world.machine(name).slow = 60.0
    sim.world.network.cut.add(name)


def _joins(sim, name):
    return [run for run in sim.world.machine(name).jobs.runs.values() if run.key[0] == "kubeadm-join"]


@pytest.mark.thorough
@pytest.mark.parametrize("replaced", [False, True], ids=["the-same-operator", "an-operator-that-starts-meanwhile"])
def test_a_master_that_is_lost_early_in_its_join_is_waited_for(replaced):
    async def tell(sim):
        sim.world.machine("m3").slow = 3.0
        await _early_in_its_join(sim, "m2")
        if replaced:
            await asyncio.sleep(5)
            await sim.operators[-1].kill()
            sim.start()
        await asyncio.sleep(300)
        assert not _joins(sim, "m3"), "it joined while the other one may still have been at it"
        sim.world.machine("m2").slow = sim.world.machine("m3").slow = 1.0
        sim.world.network.cut.discard("m2")

    assert verdict(rows("m1,m2,m3"), tell) == []


@pytest.mark.thorough
def test_a_master_that_loses_power_early_in_its_join_holds_up_the_next_one_for_as_long_as_a_join_may_take():
    async def tell(sim):
        await _early_in_its_join(sim, "m2")
        sim.world.power_off(sim.world.machine("m2"))  # nobody can tell this from a link that is cut
        began = asyncio.get_running_loop().time()
        while not _joins(sim, "m3"):
            await asyncio.sleep(5)
            assert asyncio.get_running_loop().time() - began < turn.UNSEEN + 90
        assert asyncio.get_running_loop().time() - began > turn.UNSEEN - 30
        sim.world.machine("m2").slow = 1.0
        sim.world.network.cut.discard("m2")
        sim.world.power_on(sim.world.machine("m2"))

    assert verdict(rows("m1,m2,m3"), tell) == []


async def _undone(sim, name):
    """Its join is cut off, and what there is of it is taken away."""
    machine = sim.world.machine(name)
    await job_runs(sim, name, "kubeadm-join")
    began = machine.journal["kubeadm-join"]
    machine.jobs.interrupt()
    for _ in range(10_000):
        if machine.journal.get("kubeadm-reset", began).state == "done" and list(machine.journal)[-1] == "kubeadm-reset":
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"the join of {name} was never undone")


@pytest.mark.parametrize("skew", [3600.0, -3600.0], ids=["fast", "slow"])
@pytest.mark.parametrize("name", ["m2", "w1"])
def test_a_clock_that_was_wrong_while_a_join_was_undone_confuses_nobody(name, skew):
    async def tell(sim):
        machine = sim.world.machine(name)
        await job_runs(sim, name, "kubeadm-join")
        machine.skew = skew
        await _undone(sim, name)
        machine.skew = 0.0
        await _undone(sim, name)
        await sim.until(scenarios.ready, 600)
        assert machine.journal["kubeadm-join"].attempt == 3
        assert machine.journal["kubeadm-reset"].attempt == 2

    assert verdict(rows("m1,m2,w1"), tell) == []
