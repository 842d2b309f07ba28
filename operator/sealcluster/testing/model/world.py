"""The whole outside world: machines, wires, clusters, time, and what really happened in it."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections.abc import Coroutine, Iterator, Mapping
from typing import Any

from sealcluster.testing.clock import true_time
from sealcluster.testing.model.controlplane import ControlPlanes
from sealcluster.testing.model.etcd import EtcdCluster, Member
from sealcluster.testing.model.kube import ModelKube
from sealcluster.testing.model.ledger import Ledger
from sealcluster.testing.model.machine import Machine
from sealcluster.testing.model.network import Network
from sealcluster.testing.model.pods import StaticPods
from sealcluster.testing.model.timing import Timing


class ModelWorld:
    """Everything outside of the operator. Make it inside a running `VirtualLoop`.

    Work that machines do by themselves runs as tasks of the world, not of whoever asked for it: it goes on when the operator dies.
    """

    def __init__(self, seed: int = 0, scale: float = 1.0) -> None:
        self.seed = seed
        self.timing = Timing(seed, scale)
        self.ledger = Ledger()
        self.network = Network()
        self.pods = StaticPods(lambda machine: self.timing.sample("static-pods", machine.name) * machine.slow)
        self.planes = ControlPlanes(self.network, self.pods, self.timing)
        self.content: dict[str, bytes] = {}
        """Bytes of every content part that ever lay in a store, by sha256."""
        self.deleting: set[str] = set()
        """Cluster ids whose deletion with Reset was asked for."""
        self._changing: dict[str, list[str]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    # --- machines ----------------------------------------------------------------------------------------------
    def add(self, machine: Machine, *aliases: str) -> Machine:
        """Put a machine on the network, at its address and at further ones."""
        for address in (machine.address, *aliases):
            self.network.put(address, machine)
        return machine

    @property
    def machines(self) -> Mapping[str, Machine]:
        """Every machine once, by its name."""
        return self.network.named

    def machine(self, name: str) -> Machine:
        """The machine of this name."""
        return self.machines[name]

    def now(self) -> float:
        """The right time, seconds since the epoch."""
        return true_time()

    def note(self, text: str) -> None:
        """Write an event into the trace."""
        self.ledger.note(self.now(), text)

    def violate(self, text: str) -> None:
        """Record a broken promise."""
        self.ledger.violate(self.now(), text)

    # --- clusters ----------------------------------------------------------------------------------------------
    def new_kube(self, owner: str, ca: str, domain: str, port: int, version: str) -> ModelKube:
        """A cluster is born by `kubeadm init`."""
        number = len(self.planes.by_ca) + self.ledger.init_starts[owner]
        kube = ModelKube(owner, ca, domain, port, version, EtcdCluster(f"{self.seed & 0xFFFF:08x}{number:08x}", self._member_alive))
        self.planes.by_ca[ca] = kube
        return kube

    def _member_alive(self, member: Member) -> bool:
        machine = self.machines.get(member.machine)
        if machine is None or machine.name in self.network.isolated:
            return False
        return self.planes.etcd_runs(machine, member, self.now())

    def kube_of(self, cluster_id: str) -> ModelKube | None:
        """The newest cluster that was initialised on machines of this owner."""
        found = [kube for kube in self.planes.by_ca.values() if kube.owner == cluster_id]
        return found[-1] if found else None

    def doomed(self, kube: ModelKube) -> bool:
        """May this cluster lose its quorum? True when it is being deleted, and for one whose only master is undone."""
        return kube.owner in self.deleting or len(kube.nodes) <= 1

    @contextlib.contextmanager
    def changing_masters(self, kube: ModelKube, who: str) -> Iterator[None]:
        """Masters change one at a time: a second change at the same time breaks a promise."""
        busy = self._changing.setdefault(kube.etcd.id, [])
        if busy and not self.doomed(kube):
            self.violate(f"{who}: changes the control plane while {busy[0]} does")
        busy.append(who)
        try:
            yield
        finally:
            busy.remove(who)

    # --- tasks of the world ------------------------------------------------------------------------------------
    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run something that belongs to nobody but the world."""
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work, name=name, context=contextvars.Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def end(self) -> None:
        """Stop everything that still runs on machines."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- power -------------------------------------------------------------------------------------------------
    def power_off(self, machine: Machine) -> None:
        """Pull the plug."""
        if not machine.powered:
            return
        self.note(f"{machine.name}: power off")
        machine.powered = False
        machine.units.power_lost(self.now())
        self.pods.sync(machine, self.now())
        for run in machine.jobs.interrupt():
            self.note(f"{machine.name}: interrupted {run.key[0]} #{run.key[2]}")
        for entry in machine.lose_power(self.now()):
            self.note(f"{machine.name}: lost from the journal: {entry.state} {entry.step} #{entry.attempt}")
            if entry.state == "started":
                self.ledger.starts.pop((f"{machine.name}/{machine.era}", entry.step, entry.digest, entry.attempt), None)

    def power_on(self, machine: Machine) -> None:
        """The machine has booted."""
        if machine.powered:
            return
        machine.powered = True
        machine.boots += 1
        machine.booted_at = self.now()
        if machine.rewrites_hosts:
            machine.reset_hosts()
        if not machine.broken_reboots:
            machine.units.booted(self.now())
        self.pods.sync(machine, self.now())
        self.note(f"{machine.name}: booted")

    def reboot(self, machine: Machine) -> None:
        """Power off now, on again after a while."""
        self.power_off(machine)
        seconds = self.timing.sample("boot", machine.name)
        self.spawn(self._boot_later(machine, seconds), f"boot-{machine.name}")

    async def _boot_later(self, machine: Machine, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.power_on(machine)
