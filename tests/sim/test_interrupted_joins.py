"""A master that loses power in the middle of its join, at every second of it: what was a vote is not wiped away.

A few moments by default; SEALCLUSTER_EVERY_EFFECT=1 tries every second of it.
"""

import asyncio
import os

import pytest

from sim.lives import cluster, live
from sim.test_regressions import job_runs

MOMENTS = range(32) if os.environ.get("SEALCLUSTER_EVERY_EFFECT") else (4, 18, 21)


@pytest.mark.thorough
@pytest.mark.parametrize("seconds", MOMENTS)
def test_a_second_master_that_loses_power_in_its_join_comes_back_and_joins(seconds):
    async def tell(life):
        await job_runs(life.sim, "m2", "kubeadm-join")
        await asyncio.sleep(seconds)
        life.world.power_off(life.machine("m2"))
        await asyncio.sleep(200)
        life.world.power_on(life.machine("m2"))
        await life.settled()
        assert life.voters() == ["m1", "m2", "m3"]

    live(cluster("m1", "m2", "m3"), tell, seed=21)
