"""A machine that lies harms itself: the others are installed, and the operator goes on."""

import pytest

from sealcluster.core.errors import TerminalError, TransientError
from sealcluster.testing import clock, scenarios, specs
from sealcluster.testing.driver import Simulation
from sealcluster.testing.model import observe


def live(story, spec):
    async def main():
        sim = Simulation(1, spec)
        try:
            await story(sim)
        finally:
            await sim.end()

    clock.run(main(), limit=40_000)


@pytest.fixture
def lies(monkeypatch):
    """By name of the machine: what its facts become, or the error that reading them ends with."""
    found = {}
    look = observe.look

    def lying(world, machine, query, now):
        facts = look(world, machine, query, now)
        return found[machine.name](facts) if machine.name in found else facts

    monkeypatch.setattr(observe, "look", lying)
    return found


def unreadable(_facts):
    raise TransientError("gathering facts on host w1: RecursionError", host="w1")


@pytest.mark.parametrize(
    ("lie", "named"),
    [
        (unreadable, "RecursionError"),
        (lambda f: f.__class__(**{**fields(f), "skew": 1e18}), "clock"),
        (lambda f: f.__class__(**{**fields(f), "hostname": "m1"}), "hostname"),
    ],
    ids=["unreadable", "clock", "hostname"],
)
def test_the_others_are_installed(lies, lie, named):
    async def story(sim):
        lies["w1"] = lie
        sim.start()
        report = await sim.until(lambda r: {"m1", "w2"} <= r.view.cluster.nodes.keys() or r.blocked, 3600)
        told = " ".join(f"{p.message}" for p in report.problems)
        assert named in told
        if named != "hostname":  # two machines of one name: nobody can say which of them lies
            assert {"m1", "w2"} <= report.view.cluster.nodes.keys()
            assert "w1" not in report.view.cluster.nodes

    live(story, specs.spec(masters=1, workers=2))


def fields(facts):
    return {name: getattr(facts, name) for name in facts.__slots__}


def test_a_master_with_certificates_of_nonsense_gets_new_ones(lies):
    async def story(sim):
        sim.start()
        await sim.until(scenarios.ready, 3600)
        honest = sim.world.machine("m1")
        real = sim.certs.expiry

        def strict(pem):
            if "nonsense" in pem:
                raise TerminalError("reading the certificate: it is malformed", reason="PKIInvalid")
            return real(pem)

        sim.certs.expiry = strict
        lies["m1"] = lambda f: f.__class__(**{**fields(f), "certificates": {**f.certificates, "strange": "nonsense"}})
        operator = sim.start()
        await sim.until(scenarios.ready, 3600, operator)
        assert honest.powered

    live(story, specs.spec(masters=1))
