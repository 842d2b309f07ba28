"""Where a worker's /etc/hosts leads to: once to a master, then to its own balancer, and back only when that one is truly down."""

import asyncio

import pytest

from sealcluster.phases.hosts_file import RESTART
from sealcluster.testing import scenarios, specs
from sealcluster.testing.model import etchosts
from sim.lives import cluster, live

VIP = "10.103.97.2"


def writes(trace, machine):
    return [line for line in trace if f"{machine}: start hosts #" in line]


def leads_to(machine):
    return etchosts.resolve(machine.hosts_text, "apiserver.cluster.local")


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(7, 11))
def test_a_worker_is_written_twice_however_many_masters_join(seed):
    outcome = scenarios.create(specs.spec(3, 2), seed=seed)
    assert outcome.problems == []
    assert [len(writes(outcome.trace, w)) for w in ("w1", "w2")] == [2, 2]  # to a master; to its own balancer


def test_masters_that_come_later_do_not_touch_the_entries_of_workers():
    async def tell(life):
        await life.settled()
        life.work()
        await life.wish(cluster("m1", "m2", "m3", "w1", "w2"))
        work = life.work()
        assert "load-balancer" in work["w1"]
        assert [w for w in ("w1", "w2") if "hosts" in work[w]] == []

    live(cluster("m1", "w1", "w2"), tell)


@pytest.mark.thorough
def test_a_worker_whose_balancer_stays_down_is_led_to_a_master_until_it_answers():
    async def tell(life):
        await life.settled()
        worker, began = life.machine("w1"), life.world.now()
        quick = life.world.pods.delay
        life.world.pods.delay = lambda machine: 900.0 if machine is worker else quick(machine)
        life.sim.wish(cluster("m1", "m2", "w1"))
        while leads_to(worker) == VIP:
            assert life.world.now() - began < 600, life.why()
            await asyncio.sleep(1)
        assert life.world.now() - began > RESTART
        assert leads_to(worker) in (life.machine("m1").address, life.machine("m2").address)
        await life.settled()
        assert leads_to(worker) == VIP

    live(cluster("m1", "w1"), tell)
