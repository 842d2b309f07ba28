"""After `spec.paused` nothing new begins anywhere: not the next job of an action, not the next pod that is evicted."""

import asyncio

import pytest

from sealcluster.testing.model import timing
from sim.lives import cluster, job_runs, live


@pytest.mark.parametrize("step", ["rootfs-parts", "certificate-requests"])
def test_an_action_of_several_jobs_stops_after_the_one_that_runs(monkeypatch, step):
    monkeypatch.setitem(timing.RANGES, "InstallRootfs", (60.0, 61.0))

    async def story(life):
        await job_runs(life.sim, "m1", step)
        life.sim.wish(cluster("m1", "w1", paused=True))
        await asyncio.sleep(1)
        life.work()
        await asyncio.sleep(200)
        assert life.work() == {}
        assert life.machine("m1").journal[step].state == "done", "what runs on a machine ends there"
        life.sim.wish(cluster("m1", "w1"))
        await life.settled()

    live(cluster("m1", "w1"), story)


def test_a_drain_stops():
    def evictions(life):
        return sum("evict" in name for name in life.sim.operators[-1].effects.names)

    async def story(life):
        await life.settled()
        life.kube.nodes["w1"].pods = 10**6
        life.sim.wish(cluster("m1", "w2"))
        for _ in range(1000):
            await asyncio.sleep(0.1)
            if evictions(life):
                break
        life.sim.wish(cluster("m1", "w2", paused=True))
        await asyncio.sleep(1)
        before = evictions(life)
        assert before
        await asyncio.sleep(120)
        assert evictions(life) == before
        life.sim.wish(cluster("m1", "w2"))
        await life.settled()

    live(cluster("m1", "w1", "w2"), story)
