"""A state machine over edits of the spec, faults of machines and networks, and faults of operators; judged after every step.

SEALCLUSTER_EDITS=n tries n stories instead of the few of every run (`make sim-edits EDITS=n`).
"""

import asyncio
import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sealcluster.testing import truth
from sealcluster.testing.clock import VirtualLoop
from sealcluster.testing.driver import Simulation
from sealcluster.testing.faults import KINDS, Fault, inject
from sealcluster.testing.randomworld import settle
from sim.lives import cluster

STORIES = int(os.environ.get("SEALCLUSTER_EDITS", "0"))
MASTERS = st.sampled_from([("m1",), ("m2",), ("m1", "m2", "m3"), ("m2", "m3", "m4"), ("m1", "m3"), ("m1", "m2", "m3", "m4", "m5")])
WORKERS = st.sets(st.sampled_from(["w1", "w2", "w3"])).map(sorted).map(tuple)
OPERATORS = ("operator-dies", "second-operator", "operator-pauses", "operator-clock", "management-down", "conflicts", "workload-5xx")


class Edits(RuleBasedStateMachine):
    """One world; hypothesis decides what happens in it."""

    def __init__(self):
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=VirtualLoop)
        self.faults = []
        self.sim = None
        self.wanted = ()

    @initialize(masters=MASTERS, workers=WORKERS)
    def begin(self, masters, workers):
        async def start():
            self.sim = Simulation(5, cluster(*masters, *workers))
            self.sim.on_report = lambda report: truth.check(self.sim, report)
            self.sim.start()

        self.wanted = (*masters, *workers)
        self.runner.run(start())

    @rule(masters=MASTERS, workers=WORKERS)
    def edit(self, masters, workers):
        async def wish():
            self.sim.world.note(f"WISH {masters} {workers}")
            self.sim.wish(cluster(*masters, *workers))

        self.wanted = (*masters, *workers)
        self.runner.run(wish())

    @rule(kind=st.sampled_from(sorted(set(KINDS) - set(OPERATORS))), where=st.integers(0, 20), seconds=st.integers(1, 300))
    def machine_fault(self, kind, where, seconds):
        self._fault(kind, where, seconds)

    @rule(kind=st.sampled_from(OPERATORS), where=st.integers(0, 20), seconds=st.integers(1, 120))
    def operator_fault(self, kind, where, seconds):
        self._fault(kind, where, seconds)

    def _fault(self, kind, where, seconds):
        async def strike():
            fault = Fault(0.0, kind, where, float(seconds))
            self.faults.append(asyncio.create_task(inject(self.sim, [fault])))
            await asyncio.sleep(1)

        self.runner.run(strike())

    @rule(seconds=st.sampled_from([5, 30, 90, 300]))
    def time_passes(self, seconds):
        self.runner.run(asyncio.sleep(seconds))

    @invariant()
    def nothing_is_broken(self):
        if self.sim is not None:
            assert truth.verdict(self.sim) == []

    def teardown(self):
        try:
            if self.sim is not None:
                self.runner.run(self._end())
        finally:
            self.runner.close()

    async def _end(self):
        """The faults are over: the cluster becomes what was wished for last."""
        sim = self.sim
        try:
            await asyncio.gather(*self.faults)
            await settle(sim)
            assert truth.verdict(sim) == []
            kube = sim.world.kube_of(sim.state_id())
            sim.world.planes.sync_nodes(kube, sim.world.now())
            assert sorted(kube.nodes) == sorted(sim.management.history[-1].inventory) == sorted(self.wanted)
            assert sorted(m.name for m in kube.etcd.voters()) == sorted(n for n in self.wanted if n.startswith("m"))
            gone = [m for m in sim.world.machines.values() if m.name not in self.wanted]
            assert [(m.name, m.leftovers()) for m in gone if m.leftovers() or m.owner] == []
        except BaseException:
            print("\n".join(sim.world.ledger.trace[-150:]))  # noqa: T201 - pytest shows it when a test fails
            raise
        finally:
            await sim.end()


TestEdits = pytest.mark.thorough(Edits.TestCase)
TestEdits.settings = settings(
    max_examples=STORIES or 4,
    stateful_step_count=12 if STORIES else 8,
    derandomize=not STORIES,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
