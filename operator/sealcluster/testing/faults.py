"""What goes wrong, when, for how long: a schedule drawn from a seed, so that a bad day can be lived through again.

Every fault of the schedule heals by itself. Faults that need a person (a changed host key, a machine installed anew) are not in
it; tests inject those by hand.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sealcluster.testing.driver import Simulation
from sealcluster.testing.model.machine import MANIFESTS, Machine


@dataclass(frozen=True)
class Fault:
    """One entry of a schedule."""

    at: float
    """Virtual seconds after the schedule began."""
    kind: str
    target: int
    """Chooses the machine: number modulo how many there are."""
    seconds: float
    """How long it lasts."""

    def __str__(self) -> str:
        return f"{self.kind} target {self.target} at {self.at:.0f} s for {self.seconds:.0f} s"


def schedule(seed: int, window: float, count: int, kinds: tuple[str, ...] | None = None) -> list[Fault]:
    """`count` faults within `window` seconds; equal seeds give equal schedules."""
    chance = random.Random(f"faults/{seed}")
    names = kinds or tuple(KINDS)
    faults = [
        Fault(chance.uniform(0, window), chance.choice(names), chance.randrange(1000), min(chance.expovariate(1 / 60), 600.0))
        for _ in range(count)
    ]
    return sorted(faults, key=lambda f: f.at)


async def inject(sim: Simulation, faults: list[Fault]) -> Counter[str]:
    """Live through a schedule and return when everything in it has healed: how many of each kind there were."""
    began = asyncio.get_running_loop().time()
    counts: Counter[str] = Counter()

    async def one(fault: Fault) -> None:
        await asyncio.sleep(max(0.0, began + fault.at - asyncio.get_running_loop().time()))
        sim.world.note(f"FAULT {fault}")
        counts[fault.kind] += 1
        await KINDS[fault.kind](sim, fault)
        sim.world.note(f"HEALED {fault.kind} target {fault.target}")

    async with asyncio.TaskGroup() as group:
        for fault in faults:
            group.create_task(one(fault))
    return counts


def machine_of(sim: Simulation, fault: Fault) -> Machine:
    """The machine that a fault is about."""
    machines = sorted(sim.world.machines.values(), key=lambda m: m.name)
    return machines[fault.target % len(machines)]


async def _cut(sim: Simulation, fault: Fault) -> None:
    name = machine_of(sim, fault).name
    sim.world.network.cut.add(name)
    await asyncio.sleep(fault.seconds)
    sim.world.network.cut.discard(name)


async def _isolate(sim: Simulation, fault: Fault) -> None:
    name = machine_of(sim, fault).name
    sim.world.network.isolated.add(name)
    await asyncio.sleep(fault.seconds)
    sim.world.network.isolated.discard(name)


async def _partition(sim: Simulation, fault: Fault) -> None:
    machines = sorted(sim.world.machines)
    pair = frozenset((machines[fault.target % len(machines)], machines[(fault.target // 7) % len(machines)]))
    sim.world.network.partitions.add(pair)
    await asyncio.sleep(fault.seconds)
    sim.world.network.partitions.discard(pair)


async def _power(sim: Simulation, fault: Fault) -> None:
    machine = machine_of(sim, fault)
    sim.world.power_off(machine)
    await asyncio.sleep(fault.seconds)
    sim.world.power_on(machine)


async def _reboot(sim: Simulation, fault: Fault) -> None:
    machine = machine_of(sim, fault)
    machine.rewrites_hosts = fault.target % 2 == 0
    sim.world.reboot(machine)
    await asyncio.sleep(120)
    sim.world.power_on(machine)


async def _slow(sim: Simulation, fault: Fault) -> None:
    machine = machine_of(sim, fault)
    machine.slow = 2.0 + fault.target % 8
    await asyncio.sleep(fault.seconds)
    machine.slow = 1.0


async def _disk(sim: Simulation, fault: Fault) -> None:
    machine = machine_of(sim, fault)
    machine.files.full = True
    await asyncio.sleep(fault.seconds)
    machine.files.full = False


async def _skew(sim: Simulation, fault: Fault) -> None:
    machine = machine_of(sim, fault)
    machine.skew = (fault.target % 7 - 3) * 40.0
    await asyncio.sleep(fault.seconds)
    machine.skew = 0.0


async def _password(sim: Simulation, fault: Fault) -> None:
    machine = machine_of(sim, fault)
    machine.login.password = "changed"
    await asyncio.sleep(fault.seconds)
    machine.login.password = "secret"


async def _killed_job(sim: Simulation, fault: Fault) -> None:
    machine = machine_of(sim, fault)
    for run in machine.jobs.interrupt():
        sim.world.note(f"{machine.name}: killed {run.key[0]} #{run.key[2]}")


async def _kubelet(sim: Simulation, fault: Fault) -> None:
    machine = machine_of(sim, fault)
    unit = ("kubelet", "containerd", "registry")[fault.target % 3]
    sim.world.pods.sync(machine, sim.world.now())
    if machine.units.active(unit):
        machine.units.stop(unit, sim.world.now(), failed=True)
        await asyncio.sleep(fault.seconds)
        if machine.powered:
            machine.units.start(unit, sim.world.now())


async def _drift(sim: Simulation, fault: Fault) -> None:
    machine = machine_of(sim, fault)
    for path in sorted(machine.managed):
        if path.startswith(MANIFESTS):
            machine.files.remove(path)
    machine.reset_hosts()


async def _management(sim: Simulation, fault: Fault) -> None:
    sim.management.down = True
    await asyncio.sleep(fault.seconds)
    sim.management.down = False


async def _conflicts(sim: Simulation, fault: Fault) -> None:
    sim.management.conflicts += 1 + fault.target % 3


async def _workload(sim: Simulation, fault: Fault) -> None:
    sim.workloads.failing = True
    await asyncio.sleep(fault.seconds)
    sim.workloads.failing = False


async def _images(sim: Simulation, fault: Fault) -> None:
    sim.images.failing += 1 + fault.target % 4


async def _operator_dies(sim: Simulation, fault: Fault) -> None:
    for operator in sim.operators:
        await operator.kill()
    await asyncio.sleep(fault.seconds / 4)
    sim.start()


async def _second_operator(sim: Simulation, fault: Fault) -> None:
    sim.start()


async def _operator_pauses(sim: Simulation, fault: Fault) -> None:
    """It hangs for a while; another takes over; then it goes on where it was."""
    hung = sim.operators[-1].effects
    hung.running.clear()
    await asyncio.sleep(20)
    sim.start()
    await asyncio.sleep(fault.seconds)
    hung.running.set()


async def _operator_clock(sim: Simulation, fault: Fault) -> None:
    clock = sim.operators[-1].clock
    clock.offset = (fault.target % 5 - 2) * 1800.0
    await asyncio.sleep(fault.seconds)
    clock.offset = 0.0


KINDS: dict[str, Callable[[Simulation, Fault], Awaitable[None]]] = {
    "cut-link": _cut,
    "isolate": _isolate,
    "partition": _partition,
    "power-loss": _power,
    "reboot": _reboot,
    "slow": _slow,
    "disk-full": _disk,
    "clock-skew": _skew,
    "wrong-password": _password,
    "killed-job": _killed_job,
    "unit-stops": _kubelet,
    "drift": _drift,
    "management-down": _management,
    "conflicts": _conflicts,
    "workload-5xx": _workload,
    "image-pulls-fail": _images,
    "operator-dies": _operator_dies,
    "second-operator": _second_operator,
    "operator-pauses": _operator_pauses,
    "operator-clock": _operator_clock,
}
"""Name of a fault to what it does and undoes."""
