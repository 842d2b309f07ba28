"""An application's commands run on one master at a time, also when that one cannot be seen or leads no more."""

import asyncio

import pytest

from sealcluster.core.ops import JobResult
from sealcluster.core.state import BEGUN
from sealcluster.testing.model import host as model
from sealcluster.testing.model import timing
from sealcluster.testing.model.machine import MANIFESTS
from sim.lives import cluster, job_runs, live

IMAGES = [
    {"name": i["name"], "ref": i["ref"], **({"env": {"A": "2"}} if i["name"] == "cni" else {})}
    for i in cluster("m1").model_dump(mode="json", exclude_none=True)["images"]
]


@pytest.mark.parametrize("how", ["its API server goes", "its link is cut", "and another operator comes"])
def test_commands_that_run_are_not_run_elsewhere_beside_that(monkeypatch, how):
    monkeypatch.setitem(timing.RANGES, "Guest", (120.0, 130.0))

    async def story(life):
        await life.settled()
        life.sim.wish(cluster("m1", "m2", "m3", images=IMAGES))
        await job_runs(life.sim, "m1", "guest-cni")
        assert life.sim.management.history[-1].guests["cni"].rc == BEGUN
        if how == "its API server goes":
            life.machine("m1").files.remove(f"{MANIFESTS}/kube-apiserver.yaml")
        else:
            life.world.network.cut.add("m1")
        if how == "and another operator comes":
            await life.sim.operators[-1].kill()
            life.begin()
        for _ in range(100):
            await asyncio.sleep(1)
            running = [m.name for m in life.world.machines.values() if any(r.key[0] == "guest-cni" for r in m.jobs.running())]
            assert len(running) <= 1, f"they run on {running} at the same time"
        life.world.network.cut.discard("m1")
        await life.settled()
        assert life.sim.management.history[-1].guests["cni"].rc == 0

    live(cluster("m1", "m2", "m3"), story)


@pytest.mark.thorough
def test_they_run_elsewhere_once_they_must_have_ended(monkeypatch):
    monkeypatch.setitem(timing.RANGES, "Guest", (120.0, 130.0))

    async def story(life):
        await life.settled()
        life.sim.wish(cluster("m1", "m2", "m3", images=IMAGES))
        await job_runs(life.sim, "m1", "guest-cni")
        life.world.power_off(life.machine("m1"))
        began = life.world.now()
        await life.until(lambda r: r.view.state.guests["cni"].host == "m2", 3600)
        assert 1800 < life.world.now() - began < 2100
        life.world.power_on(life.machine("m1"))
        await life.settled()

    live(cluster("m1", "m2", "m3"), story)


def test_they_run_elsewhere_at_once_where_they_were_seen_to_fail(monkeypatch):
    carry_out = model.carry_out

    async def broken(execution):
        if execution.kind == "Guest" and execution.machine.name == "m1":
            return JobResult(3, "no route", "", 1.0)
        return await carry_out(execution)

    async def story(life):
        await life.settled()
        monkeypatch.setattr(model, "carry_out", broken)
        life.sim.wish(cluster("m1", "m2", "m3", images=IMAGES))
        await life.until(lambda r: r.view.state.guests["cni"].rc == 3, 300)
        life.world.power_off(life.machine("m1"))
        await life.until(lambda r: r.view.state.guests["cni"].host == "m2" and r.view.state.guests["cni"].rc == 0, 600)
        life.world.power_on(life.machine("m1"))
        await life.settled()

    live(cluster("m1", "m2", "m3"), story)
