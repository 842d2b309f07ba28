"""A machine that answers slowly, or not at all, holds up nobody but itself."""

import pytest

from sealcluster.testing import clock, scenarios, specs
from sealcluster.testing.driver import Simulation


def seconds_until_the_others_joined(trouble):
    """Virtual seconds from the moment at which all machines are claimed."""

    async def main():
        sim = Simulation(3, specs.spec(3, 2))
        try:
            sim.start()
            await sim.until(lambda r: all(h.done("claim") for h in r.view.wanted), scenarios.PATIENCE)
            began = sim.world.now()
            trouble(sim.world, sim.world.network.named["w2"])
            await sim.until(lambda r: {"m1", "m2", "m3", "w1"} <= {h.name for h in r.view.wanted if r.view.joined(h)}, scenarios.PATIENCE)
            return sim.world.now() - began
        finally:
            await sim.end()

    return clock.run(main())


@pytest.fixture(scope="module")
def healthy():
    return seconds_until_the_others_joined(lambda world, machine: None)


def test_a_machine_whose_looks_take_half_a_minute_holds_up_no_other(healthy):
    def slow(_world, machine):
        machine.slow = 100.0

    assert seconds_until_the_others_joined(slow) <= 1.01 * healthy


def test_a_machine_that_lost_its_network_holds_up_no_other(healthy):
    def cut(world, machine):
        world.network.cut.add(machine.name)

    assert seconds_until_the_others_joined(cut) <= 1.01 * healthy
