"""A machine that does not fit is left out: the others become a cluster that works, and it joins when it was mended."""

from dataclasses import replace

import pytest

from sealcluster.core.facts import Owner
from sealcluster.testing import clock
from sealcluster.testing.driver import Simulation
from sim.lives import cluster


@pytest.mark.parametrize(
    ("unfit", "hardware"),
    [
        ("w2", {"memory_mib": 100}),
        ("m3", {"memory_mib": 100}),
        ("m1", {"memory_mib": 100}),
    ],
)
def test_the_others_become_ready_without_the_one_that_does_not_fit(unfit, hardware):
    async def main():
        sim = Simulation(1, cluster("m1", "m2", "m3", "w1", "w2"))
        machine = sim.world.machine(unfit)
        fit, machine.hardware = machine.hardware, replace(machine.hardware, **hardware)
        try:
            sim.start()
            report = await sim.until(lambda r: r.blocked and len(r.view.cluster.nodes) == 4 and r.view.state.guests, 2000)
            assert [(p.reason, p.host) for p in report.problems] == [("PreflightFailed", unfit)]
            assert "cni" in report.view.state.guests
            report = await sim.until(lambda r: all(n.ready for n in r.view.cluster.nodes.values()), 600)
            assert unfit not in report.view.state.inventory, "it was touched"
            machine.hardware = fit
            await sim.until(lambda r: r.ready and unfit in r.view.cluster.nodes, 1000)
        finally:
            await sim.end()

    clock.run(main(), limit=50_000)


def test_a_machine_of_another_cluster_holds_up_nobody():
    async def main():
        sim = Simulation(1, cluster("m1", "w1"))
        machine = sim.world.machine("w1")
        machine.owner = Owner("other", "x")
        try:
            sim.start()
            report = await sim.until(lambda r: r.blocked and bool(r.view.state.guests), 2000)
            assert [(p.reason, p.host) for p in report.problems] == [("HostOfAnotherCluster", "w1")]
            assert machine.owner == Owner("other", "x")
        finally:
            await sim.end()

    clock.run(main(), limit=50_000)


def test_the_registry_goes_where_its_port_is_free():
    async def main():
        sim = Simulation(1, cluster("m1", "m2", "m3", "w1"))
        machine = sim.world.machine("m1")
        machine.hardware = replace(machine.hardware, busy_ports=frozenset({5000}))
        try:
            sim.start()
            report = await sim.until(lambda r: r.ready, 2000)
            assert report.view.registry.name == "m2"
        finally:
            await sim.end()

    clock.run(main(), limit=50_000)
