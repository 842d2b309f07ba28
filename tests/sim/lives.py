"""A long life of one cluster in the simulation: wishes one after another, and what each of them made happen on which machine."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable

from sealcluster.api import SealClusterSpec
from sealcluster.engine.report import Report
from sealcluster.testing import clock, specs, truth
from sealcluster.testing.driver import Simulation, describe

PATIENCE = 7200.0
NUMBERS = {**{f"m{n}": n for n in range(1, 10)}, **{f"w{n}": 20 + n for n in range(1, 60)}}


def rows(*names: str, **more: list[str]) -> list[dict[str, object]]:
    """Rows of spec.hosts with addresses that never depend on the others: m… are masters, w… workers."""
    return [specs.host(n, NUMBERS[n], *more.get(n, ["master" if n.startswith("m") else "node"])) for n in names]


def cluster(*names: str, roles: dict[str, list[str]] | None = None, **more: object) -> SealClusterSpec:
    """A whole spec over these hosts."""
    return specs.spec(hosts=rows(*names, **(roles or {})), **more)


async def job_runs(sim: Simulation, machine: str, step: str) -> None:
    """Wait until a job of this step runs on the machine."""
    for _ in range(100_000):
        if any(run.key[0] == step for run in sim.world.machine(machine).jobs.running()):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{step} never ran on {machine}")


class Life:
    """One world. Everything is judged all the time; `work` tells what was started where."""

    def __init__(self, seed: int, spec: SealClusterSpec) -> None:
        self.sim = Simulation(seed, spec)
        self.world = self.sim.world
        self.sim.on_report = self._report
        self.lost_quorum: list[str] = []
        self.each: list[Callable[[Report], None]] = []
        self._seen: dict[tuple[str, str, str, int], int] = {}

    def _report(self, report: Report) -> None:
        truth.check(self.sim, report)
        for look in self.each:
            look(report)

    def begin(self) -> None:
        """An operator comes."""
        self.sim.start()

    async def until(self, holds: Callable[[Report], bool], limit: float = PATIENCE) -> Report:
        """Wait for a report."""
        return await self.sim.until(holds, limit)

    async def settled(self, limit: float = PATIENCE) -> Report:
        """Wait until the newest wish is fulfilled and nobody leaves any more."""
        generation = self.sim.desired.generation
        return await self.until(lambda r: r.view.generation == generation and r.ready and not r.view.leaving, limit)

    async def wish(self, spec: SealClusterSpec, limit: float = PATIENCE, **more: object) -> Report:
        """Change the wish and wait until it is fulfilled."""
        self.work()
        self.sim.wish(spec, **more)
        return await self.settled(limit)

    def work(self) -> dict[str, list[str]]:
        """Steps that were started since the last call, by machine."""
        found = defaultdict(list)
        for key, count in self.world.ledger.starts.items():
            if count > self._seen.get(key, 0):
                found[key[0].partition("/")[0]].append(key[1])
        self._seen = dict(self.world.ledger.starts)
        return dict(found)

    @property
    def kube(self):
        """The cluster as it really is."""
        kube = self.world.kube_of(self.sim.state_id())
        assert kube is not None
        self.world.planes.sync_nodes(kube, self.world.now())
        return kube

    def nodes(self) -> list[str]:
        """Names of the Nodes."""
        return sorted(self.kube.nodes)

    def voters(self) -> list[str]:
        """Names of etcd's voting members."""
        return sorted(m.name for m in self.kube.etcd.voters())

    def machine(self, name: str):
        """The machine."""
        return self.world.machine(name)

    def inventory(self) -> list[str]:
        """Hosts on record."""
        return sorted(self.sim.management.history[-1].inventory)

    def clean(self, *names: str) -> list[str]:
        """What is left on machines that must be clean."""
        left = []
        for name in names:
            machine = self.machine(name)
            left += [f"{name}: {what}" for what in machine.leftovers()]
            if machine.owner is not None:
                left.append(f"{name}: belongs to {machine.owner.cluster_id}")
        return left

    @property
    def last(self) -> Report:
        """The newest report."""
        return self.sim.operators[-1].last

    def why(self) -> str:
        """What the newest report says."""
        return describe(self.last)


def live(spec: SealClusterSpec, tell: Callable[[Life], Awaitable[None]], seed: int = 1, limit: float = 20 * PATIENCE) -> Life:
    """Tell a story in a world of its own and judge the world afterwards; a broken promise fails the test."""
    kept: list[Life] = []

    async def main() -> None:
        life = Life(seed, spec)
        kept.append(life)
        life.begin()
        try:
            await tell(life)
            problems = truth.verdict(life.sim)
            assert problems == [], problems
        finally:
            await life.sim.end()

    try:
        clock.run(main(), limit=limit)
    except BaseException:
        if kept:
            print("\n".join(kept[0].world.ledger.trace[-80:]))  # noqa: T201 - pytest shows it when a test fails
        raise
    return kept[0]
