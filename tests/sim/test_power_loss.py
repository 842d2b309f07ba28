"""Power that is lost takes along what was on its way to the disk: it is done again, and nothing that may happen once happens twice."""

import pytest

from sealcluster.testing import clock, scenarios, specs, truth
from sealcluster.testing.driver import Simulation


@pytest.mark.parametrize("who", ["m1", "m2", "w1"])
@pytest.mark.parametrize("step", ["fetch-parts", "rootfs-parts", "rootfs", "registry-tree", "certificates", "pull", "load-balancer"])
def test_power_is_lost_right_after_a_repeatable_step_ended(who, step):
    async def main():
        sim = Simulation(5, specs.spec(2, 1))
        sim.on_report = lambda report: truth.check(sim, report)
        lost = []

        def note(text):
            told(text)
            if text.startswith(f"{who}: end {step} ") and not lost:
                lost.append(text)
                sim.world.reboot(sim.world.network.named[who])

        told, sim.world.note = sim.world.note, note
        try:
            sim.start()
            await sim.until(scenarios.ready, scenarios.PATIENCE)
            assert truth.verdict(sim) == []
            return bool(lost), [line for line in sim.world.ledger.trace if "lost from the journal" in line]
        finally:
            await sim.end()

    happened, lines = clock.run(main(), limit=10 * scenarios.PATIENCE)
    if happened:
        assert lines, "the power loss cost no line of the journal: it proves nothing"
    else:
        roles = {"fetch-parts": who != "m1", "registry-tree": who == "m1", "load-balancer": who == "w1", "certificates": who != "w1"}
        assert not roles.get(step, True), f"{step} never ran on {who}"
