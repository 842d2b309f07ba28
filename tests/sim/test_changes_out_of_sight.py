"""What changes etcd's members goes on where nobody sees it, or was begun by an operator that is gone: nothing else changes them meanwhile."""

import asyncio

import pytest

from sealcluster.testing.model import timing
from sim.lives import cluster, live


@pytest.fixture
def slow_removals(monkeypatch):
    """They take nearly as long as they may, and newcomers are ready to join long before that."""
    monkeypatch.setitem(timing.RANGES, "EtcdMember", (100.0, 110.0))
    for kind in ("FetchParts", "InstallRootfs", "RunScript", "PullImages"):
        monkeypatch.setitem(timing.RANGES, kind, (1.0, 2.0))


async def removal(life):
    """Wait until a removal runs; returns the machine on which it does."""
    for _ in range(100_000):
        for machine in life.world.machines.values():
            if any(run.key[0] == "etcd-member" for run in machine.jobs.running()):
                return machine
        await asyncio.sleep(0.1)
    raise AssertionError("no member was removed")


@pytest.mark.parametrize("replaced", [False, True], ids=["the-same-operator", "an-operator-that-starts-meanwhile"])
@pytest.mark.parametrize("seed", range(3))
def test_a_master_does_not_join_beside_a_removal_that_nobody_sees(slow_removals, seed, replaced):
    async def story(life):
        await life.settled()
        life.sim.wish(cluster("m1", "m2"))
        leader = await removal(life)
        life.sim.wish(cluster("m1", "m2", "m4"))
        life.world.network.cut.add(leader.name)
        if replaced:
            await life.sim.operators[-1].kill()
            life.begin()
        await asyncio.sleep(130)
        life.world.network.cut.discard(leader.name)
        await life.settled()
        assert life.voters() == ["m1", "m2", "m4"]

    live(cluster("m1", "m2", "m3"), story, seed=seed)


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(3))
def test_a_master_does_not_join_beside_a_removal_that_an_earlier_operator_began(slow_removals, seed):
    async def story(life):
        await life.settled()
        life.sim.wish(cluster("m1", "m2"))
        await removal(life)
        life.sim.wish(cluster("m1", "m2", "m4"))
        await life.sim.operators[-1].kill()
        life.begin()
        await life.settled()
        assert life.voters() == ["m1", "m2", "m4"]

    live(cluster("m1", "m2", "m3"), story, seed=seed)


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(3))
def test_a_member_is_not_removed_beside_a_removal_that_nobody_sees(slow_removals, seed):
    async def story(life):
        await life.settled()
        life.sim.wish(cluster("m1", "m2", "m3"))
        leader = await removal(life)
        life.world.network.cut.add(leader.name)
        await asyncio.sleep(130)
        life.world.network.cut.discard(leader.name)
        await life.settled()
        assert life.voters() == ["m1", "m2", "m3"]

    live(cluster("m1", "m2", "m3", "m4", "m5"), story, seed=seed)
