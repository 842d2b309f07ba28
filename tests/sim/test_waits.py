"""What waits for something that never comes true stands still after a while, says why, and goes on by itself."""

import pytest

from sealcluster.api.conditions import ConditionType as C
from sealcluster.api.conditions import Reason
from sealcluster.api.status import ConditionStatus
from sealcluster.api.summary import summarize
from sealcluster.engine.waits import LONGEST_WAIT
from sealcluster.testing.model import timing
from sim.lives import cluster, live


def says(report, kind):
    return summarize(report.account)[kind]


def is_true(report, kind):
    return says(report, kind).status is ConditionStatus.TRUE


def deafen(life, name, port):
    """This port never answers on this machine, whatever runs there; the function that ends it."""
    planes = life.world.planes
    real = planes.listening

    def without(machine, now):
        found = real(machine, now)
        return found - {port} if machine.name == name else found

    planes.listening = without
    return lambda: setattr(planes, "listening", real)


@pytest.mark.thorough
def test_a_registry_that_never_listens():
    async def story(life):
        heal = deafen(life, "m1", 5000)
        begun = life.world.now()
        both = []
        life.each.append(lambda r: both.append(r) if is_true(r, C.STALLED) and is_true(r, C.RECONCILING) else None)
        stalled = await life.until(lambda r: is_true(r, C.STALLED))
        took = life.world.now() - begun
        assert LONGEST_WAIT < took < 2 * LONGEST_WAIT
        found = says(stalled, C.STALLED)
        assert found.reason is Reason.REGISTRY_FAILED
        assert "offer parts on m1: still waiting for the registry to answer, for more than 10 minutes" in found.message
        assert not is_true(stalled, C.RECONCILING)
        assert says(stalled, C.REGISTRY_AVAILABLE).reason is Reason.REGISTRY_FAILED
        assert [p.host for p in stalled.problems] == ["m1"]
        heal()
        healed = life.world.now()
        await life.until(lambda r: is_true(r, C.RECONCILING) and not is_true(r, C.STALLED))
        assert life.world.now() - healed < 120
        await life.settled()
        assert both == []

    live(cluster("m1", "w1"), story)


@pytest.mark.thorough
def test_a_balancer_that_never_answers():
    async def story(life):
        await life.settled()
        planes = life.world.planes
        real = planes.balanced
        planes.balanced = lambda machine, *rest: () if machine.name == "w2" else real(machine, *rest)
        life.sim.wish(cluster("m1", "w1", "w2"))
        stalled = await life.until(lambda r: is_true(r, C.STALLED))
        assert says(stalled, C.STALLED).reason is Reason.ENDPOINT_UNREACHABLE
        assert "on w2" in says(stalled, C.STALLED).message
        assert is_true(stalled, C.AVAILABLE)
        planes.balanced = real
        await life.settled()

    live(cluster("m1", "w1"), story)


@pytest.mark.thorough
def test_a_slow_machine_is_no_standstill(monkeypatch):
    monkeypatch.setitem(timing.RANGES, "PullImages", (1.1 * LONGEST_WAIT / 12, 1.2 * LONGEST_WAIT / 12))

    async def story(life):
        life.machine("m1").slow = 12.0  # kubeadm itself gives up on slower ones
        found = []
        life.each.append(lambda r: found.append(r) if is_true(r, C.STALLED) else None)
        await life.settled(limit=40_000.0)
        assert found == []

    live(cluster("m1"), story, limit=80_000.0)
