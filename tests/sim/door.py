"""The operator's whole door in virtual time: the real supervisor, client and status writer on the strict fake API server, model machines below.

Every version of the SealCluster that anybody could ever see is kept in `Door.versions`, and judged the moment it appears.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from labkit import argocd
from labkit.contract import check_status
from labkit.manifests import ROOT
from labkit.oracles import kstatus, kubectl_wait
from sealcluster.api import SealClusterSpec
from sealcluster.controller.supervisor import Supervisor
from sealcluster.engine.ports import Ports
from sealcluster.kube.client import KubeClient
from sealcluster.kube.resources import SEALCLUSTERS, SECRETS
from sealcluster.testing import clock
from sealcluster.testing.fakekube import FakeKube
from sealcluster.testing.model.certs import ModelCerts
from sealcluster.testing.model.host import ModelHosts
from sealcluster.testing.model.images import ModelImages
from sealcluster.testing.model.machine import Machine
from sealcluster.testing.model.workload import ModelWorkloads
from sealcluster.testing.model.world import ModelWorld

CRD = ROOT / "crds" / "sealclusters.sealcluster.io.yaml"
CHECK = ROOT / "examples" / "argocd" / "health.lua"
NAMESPACE, NAME = "tenant", "demo"
PATIENCE = 7200.0

Object = dict[str, Any]
Verdict = tuple[str, bool, str]
"""What kstatus, `kubectl wait --for=condition=Ready` and Argo CD conclude."""


def verdict(obj: Object) -> Verdict:
    """All three judges."""
    return kstatus(obj), kubectl_wait(obj, "Ready"), argocd.health(obj, CHECK)[0]


class ModelAdapters:
    """What the composition root gives the supervisor, on models."""

    def __init__(self, world: ModelWorld) -> None:
        self.clock = clock.VirtualClock()
        self.images = ModelImages(world.timing)
        self._world = world
        self._certs = ModelCerts(world.timing)
        self._workloads = ModelWorkloads(world)
        self._ids = iter(range(1, 1000))

    def ports(self, management: Any) -> Ports:
        """Ports of one cluster."""
        return Ports(
            hosts=ModelHosts(self._world, self.clock),
            images=self.images,
            certs=self._certs,
            management=management,
            workloads=self._workloads,
            clock=self.clock,
            random=lambda: 0.5,
            token=lambda: f"abcdef.{next(self._ids):016x}",
            new_id=lambda: f"cluster-{next(self._ids)}",
        )


class Door:
    """One management cluster with one SealCluster in it."""

    def __init__(self, seed: int) -> None:
        self.world = ModelWorld(seed)
        self.adapters = ModelAdapters(self.world)
        self.server = FakeKube(self.adapters.clock, CRD)
        self.client = KubeClient(self.server)
        self.versions: list[Object] = []
        self.verdicts: list[Verdict] = []
        self.wrong: list[str] = []
        self._supervisor: Supervisor | None = None
        self._news = asyncio.Event()
        self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        async for event, obj in self.server.watch(SEALCLUSTERS.plural, NAMESPACE):
            if event == "DELETED":
                self.versions.append({})
                if self._supervisor is not None:
                    self._supervisor.object_gone(NAMESPACE, NAME)
            else:
                self._judge(obj)
                if self._supervisor is not None:
                    self._supervisor.object_seen(obj)
            self._news.set()

    def _judge(self, obj: Object) -> None:
        """A version that somebody may act on."""
        check_status(obj)
        self.versions.append(obj)
        self.verdicts.append(verdict(obj))
        said, ready, health = self.verdicts[-1]
        if said == "Current" or ready or health == "Healthy":
            self.wrong += [f"version {len(self.versions)} is {said}, {ready}, {health}: {claim}" for claim in self.missing(obj["spec"])]

    def missing(self, spec: Object) -> list[str]:
        """What is not yet as the spec wants it, read from the model itself."""
        kubes = list(self.world.planes.by_ca.values())
        if len(kubes) != 1:
            return [f"there are {len(kubes)} clusters"]
        self.world.planes.sync_nodes(kubes[0], self.world.now())
        ready = {name for name, node in kubes[0].nodes.items() if node.ready}
        voters = {member.name for member in kubes[0].etcd.voters()}
        masters = {row["name"] for row in spec["hosts"] if "master" in row["roles"]}
        found = []
        if ready != {row["name"] for row in spec["hosts"]}:
            found.append(f"ready nodes are {sorted(ready)}")
        if voters != masters:
            found.append(f"etcd's voters are {sorted(voters)}")
        if not kubes[0].cni:
            found.append("the network application was not applied")
        if (SECRETS.plural, NAMESPACE, f"{NAME}-kubeconfig") not in self.server.store.objects:
            found.append("there is no kubeconfig")
        return found

    # --- what people and their tools do --------------------------------------------------------------------------
    async def apply(self, spec: SealClusterSpec) -> None:
        """kubectl apply, with the login Secret; machines that are named for the first time are put on the network."""
        for row in spec.hosts:
            if self.world.network.at(str(row.address)) is None:
                self.world.add(Machine(str(row.name), str(row.address)))
        login = {"metadata": {"name": "ssh"}, "stringData": {"username": "root", "password": "secret"}}
        await self.client.apply(SECRETS, login, NAMESPACE, manager="kubectl")
        wish = spec.model_dump(mode="json", by_alias=True, exclude_unset=True)
        await self._seen(await self.client.apply(SEALCLUSTERS, {"metadata": {"name": NAME}, "spec": wish}, NAMESPACE, manager="kubectl"))

    async def patch(self, patch: Object) -> None:
        """A merge patch by somebody."""
        await self._seen(await self.client.patch(SEALCLUSTERS, NAME, patch, NAMESPACE))

    async def delete(self) -> None:
        """kubectl delete."""
        self.world.deleting.update(kube.owner for kube in self.world.planes.by_ca.values())
        await self.client.delete(SEALCLUSTERS, NAME, NAMESPACE)
        await self.until(lambda obj: not obj or "deletionTimestamp" in obj["metadata"])

    async def _seen(self, stored: Object) -> None:
        """Wait until the watch has brought it."""
        version = int(stored["metadata"]["resourceVersion"])
        await self.until(lambda obj: int(obj["metadata"]["resourceVersion"]) >= version)

    def start(self) -> None:
        """An operator comes; it lists what is there."""
        self._supervisor = Supervisor(self.client, self.adapters, "operator")  # type: ignore[arg-type]  # models in the adapters' place
        for obj in self.server.store.listed(SEALCLUSTERS.plural, NAMESPACE):
            self._supervisor.object_seen(obj)

    async def stop(self) -> None:
        """It goes."""
        if self._supervisor is not None:
            await self._supervisor.close()
            self._supervisor = None

    async def until(self, holds: Callable[[Object], bool], limit: float = PATIENCE) -> Object:
        """Wait for a version of the object; `{}` is its end."""
        async with asyncio.timeout(limit):
            while not (self.versions and holds(self.versions[-1])):
                assert self._supervisor is None or self._supervisor.healthy, "a task of the operator died"
                self._news.clear()
                await self._news.wait()
        return self.versions[-1]

    async def current(self) -> Object:
        """Wait until kstatus says so."""
        return await self.until(lambda obj: bool(obj) and kstatus(obj) == "Current")

    def since(self, count: int) -> list[Verdict]:
        """Verdicts about versions after this many."""
        return self.verdicts[count:]

    async def end(self) -> None:
        """Everything stops."""
        await self.stop()
        self._watching.cancel()
        await asyncio.wait({self._watching})
        if not self._watching.cancelled():
            self._watching.result()
        await self.world.end()
        self.adapters.images.close()


def tell(story: Callable[[Door], Awaitable[None]], seed: int = 1) -> Door:
    """A story in a world of its own; a version that claimed too much fails the test."""
    kept: list[Door] = []

    async def main() -> None:
        door = Door(seed)
        kept.append(door)
        try:
            await story(door)
        finally:
            await door.end()

    clock.run(main(), limit=20 * PATIENCE)
    assert kept[0].wrong == []
    assert kept[0].world.ledger.violations == []
    return kept[0]
