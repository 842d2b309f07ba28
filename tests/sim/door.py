"""Tools of others beside the management plane of the simulation: they read every version of the SealCluster that anybody could ever see.

Each version is judged the moment it appears; what one of them takes for done although it is not is kept in `Door.wrong`.
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
from sealcluster.testing import clock, truth
from sealcluster.testing.kubemodel import patches
from sealcluster.testing.plane import NAMESPACE, PLURAL, Plane

CRD = ROOT / "crds" / "sealclusters.sealcluster.io.yaml"
CHECK = ROOT / "examples" / "argocd" / "health.lua"
PATIENCE = 7200.0

Object = dict[str, Any]
Verdict = tuple[str, bool, str]
"""What kstatus, `kubectl wait --for=condition=Ready` and Argo CD conclude."""

MAKING: Verdict = ("InProgress", False, "Progressing")
DONE: Verdict = ("Current", True, "Healthy")
SICK: Verdict = ("InProgress", False, "Degraded")
STUCK: Verdict = ("Failed", False, "Degraded")
GOING: Verdict = ("Terminating", False, "Progressing")


class Door(Plane):
    """A plane whose object is read by everybody."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, CRD)
        self.versions: list[Object] = []
        """Every version; `{}` is the end."""
        self.verdicts: list[Verdict] = []
        self.wrong: list[str] = []
        self._onlooker = asyncio.create_task(self._look())

    async def _look(self) -> None:
        async for event, body in self.kube.watch(PLURAL, NAMESPACE):
            self.versions.append({} if event == "DELETED" else body)
            if event != "DELETED":
                self._judge(body)

    def _judge(self, body: Object) -> None:
        check_status(body)
        self.verdicts.append((kstatus(body), kubectl_wait(body, "Ready"), argocd.health(body, CHECK)[0]))
        said, ready, health = self.verdicts[-1]
        if said == "Current" or ready or health == "Healthy":
            self.wrong += [f"version {len(self.versions)} is {said}, {ready}, {health}: {claim}" for claim in self._missing(body["spec"])]

    def _missing(self, spec: Object) -> list[str]:
        """What is not yet as the spec wants it, read from the model itself."""
        record = self.record()
        owner = record.cluster_id if record else ""
        published = ("secrets", NAMESPACE, f"{self.name}-kubeconfig") in self.kube.store.objects
        found = truth.untrue(self.world, SealClusterSpec.model_validate(spec), owner, published=published)
        cluster = self.world.kube_of(owner)
        unready = [name for name, node in (cluster.nodes.items() if cluster else ()) if not node.ready]
        return found + [f"node {name} is not Ready" for name in unready]

    def patch(self, patch: Object) -> None:
        """A merge patch by somebody."""
        self.kube.store.now = self.world.now()
        self.kube.store.update(self.kube.store.kinds[PLURAL], self.key, patches.merge(self.kube.store.get(self.key), patch))

    async def seen(self, holds: Callable[[Object], bool], limit: float = PATIENCE) -> Object:
        """Wait until the newest version is as wanted, and everybody has read it."""

        def now() -> bool:
            newest = self.object() or {}
            return bool(self.versions) and self.versions[-1] == newest and holds(newest)

        await self.until(now, limit)
        return self.versions[-1]

    async def done(self) -> Object:
        """Wait until everybody takes it for done."""
        return await self.seen(lambda obj: bool(obj) and self.verdicts[-1] == DONE)

    def since(self, count: int) -> list[Verdict]:
        """Verdicts about versions after this many."""
        return self.verdicts[count:]

    async def end(self) -> None:
        """Stop everything; a reader that failed fails the test."""
        self._onlooker.cancel()
        await asyncio.wait({self._onlooker})
        await super().end()
        if not self._onlooker.cancelled():
            self._onlooker.result()


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
    assert kept[0].problems() == []
    return kept[0]
