"""A management plane in virtual time: a fake API server with SealClusters on it, the machines that they name, and operators that come and go.

Unlike `driver`, which runs an engine alone, everything above it runs too: watch, supervisor, finalizer, records in Secrets, status.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sealcluster.api import SealClusterSpec
from sealcluster.api.summary import timestamp
from sealcluster.core.state import StateRecord
from sealcluster.kube import secretdata
from sealcluster.kube.records import unpack_state
from sealcluster.testing import truth
from sealcluster.testing.clock import VirtualClock
from sealcluster.testing.contract import StatusHistory, condition
from sealcluster.testing.effects import Crash
from sealcluster.testing.fakekube import FakeKube
from sealcluster.testing.kubemodel.store import Key, Object
from sealcluster.testing.model.certs import ModelCerts
from sealcluster.testing.model.images import ModelImages
from sealcluster.testing.model.machine import Machine
from sealcluster.testing.model.workload import ModelWorkloads
from sealcluster.testing.model.world import ModelWorld
from sealcluster.testing.process import Process

PLURAL, NAMESPACE = "sealclusters", "tenant"


class Plane:
    """Make it inside a running `VirtualLoop`. What people do to objects meets none of the faults that operators meet."""

    def __init__(self, seed: int, crd: Path, name: str = "demo") -> None:
        self.seed = seed
        self.name = name
        self.world = ModelWorld(seed)
        self.kube = FakeKube(VirtualClock(), crd, latency=0.02)
        self.images = ModelImages(self.world.timing)
        self.certs = ModelCerts(self.world.timing)
        self.workloads = ModelWorkloads(self.world)
        self.processes: list[Process] = []
        self._history = StatusHistory()
        asyncio.get_running_loop().set_exception_handler(self._unhandled)
        self.secret("ssh", {"username": "root", "password": "secret"})
        self._reader = asyncio.get_running_loop().create_task(self._read_along())

    def _unhandled(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, BaseExceptionGroup):
            error = error.split(Crash)[1]
        if error is not None and not isinstance(error, Crash):
            self.world.violate(f"nobody handled: {context.get('message')}: {error!r}")

    async def _read_along(self) -> None:
        """Judges every version of the object."""
        async for event, body in self.kube.watch(PLURAL, since=0):
            if event != "DELETED" and body["metadata"]["name"] == self.name:
                for wrong in self._history.seen(body, timestamp(datetime.fromtimestamp(self.world.now(), UTC))):
                    self.world.violate(f"status: {wrong}")
                for wrong in self._claims(body):
                    self.world.violate(f"status: {wrong}")

    def _claims(self, body: Object) -> list[str]:
        """What Ready=True says of this very generation although it is not so."""
        current = body["status"].get("observedGeneration") == body["metadata"]["generation"] if "status" in body else False
        if not current or condition(body, "Ready")[0] != "True":
            return []
        record = self.record()
        spec = SealClusterSpec.model_validate(body["spec"])
        published = ("secrets", NAMESPACE, f"{self.name}-kubeconfig") in self.kube.store.objects
        return truth.untrue(self.world, spec, record.cluster_id if record else "", published=published)

    # --- what people do ----------------------------------------------------------------------------------------
    @property
    def key(self) -> Key:
        """The SealCluster's."""
        return (PLURAL, NAMESPACE, self.name)

    def secret(self, name: str, data: dict[str, str]) -> None:
        """Create or change a Secret."""
        body = {"metadata": {"name": name}, "data": secretdata.encode(data)}
        self._apply(("secrets", NAMESPACE, name), body)

    def wish(self, spec: SealClusterSpec, **more: Any) -> None:
        """kubectl apply; machines that it names and that do not exist yet are put on the network. `more`: further fields of spec."""
        for row in spec.hosts:
            if self.world.network.at(str(row.address)) is None:
                self.world.add(Machine(str(row.name), str(row.address)))
        document = spec.model_dump(mode="json", by_alias=True, exclude_unset=True) | more
        self._apply(self.key, {"metadata": {"name": self.name}, "spec": document})

    def annotate(self, **annotations: str) -> None:
        """kubectl annotate: it changes the object, not its generation."""
        found = self.kube.store.get(self.key)
        found["metadata"].setdefault("annotations", {}).update(annotations)
        self.kube.store.update(self.kube.store.kinds[PLURAL], self.key, found)

    def delete(self) -> None:
        """kubectl delete --wait=false."""
        record = self.record()
        if record is not None:
            self.world.deleting.add(record.cluster_id)
        self.kube.store.now = self.world.now()
        self.kube.store.delete(self.kube.store.kinds[PLURAL], self.key, {})

    def _apply(self, key: Key, body: Object) -> None:
        self.kube.store.now = self.world.now()
        self.kube.store.apply(self.kube.store.kinds[key[0]], key, body, "kubectl", force=True)

    # --- what can be seen --------------------------------------------------------------------------------------
    def object(self) -> Object | None:
        """The SealCluster as it is stored."""
        return self.kube.store.get(self.key) if self.key in self.kube.store.objects else None

    def record(self) -> StateRecord | None:
        """The state record as it is stored."""
        key = ("secrets", NAMESPACE, f"{self.name}-state")
        if key not in self.kube.store.objects:
            return None
        return unpack_state(secretdata.decode(self.kube.store.get(key)), "the state")

    def ready(self) -> bool:
        """Does the object say Ready about its newest generation?"""
        body = self.object()
        return (
            body is not None
            and (body.get("status") or {}).get("observedGeneration") == body["metadata"]["generation"]
            and condition(body, "Ready")[0] == "True"
        )

    def secrets(self) -> list[str]:
        """Names of Secrets that are ours."""
        return sorted(k[2] for k in self.kube.store.objects if k[0] == "secrets" and k[2].startswith(f"{self.name}-"))

    # --- operators ---------------------------------------------------------------------------------------------
    def start(self, crash_at: int = 0, side: str = "before") -> Process:
        """A new process."""
        process = Process(self, f"operator-{len(self.processes) + 1}", crash_at, side)
        self.world.note(f"{process.name}: starts")
        self.processes.append(process)
        return process

    async def until(self, holds: Callable[[], bool], limit: float) -> None:
        """Wait; a process that died is replaced. AssertionError after `limit` virtual seconds, or when a supervisor's task broke."""
        deadline = asyncio.get_running_loop().time() + limit
        while not holds():
            newest = self.processes[-1]
            if newest.died.is_set():
                await newest.kill()
                self.start()
            elif not newest.effects.dead:
                assert newest.supervisor.healthy, f"{newest.name}: a task that looks after an object ended"
            status = (self.object() or {}).get("status")
            assert asyncio.get_running_loop().time() < deadline, f"not reached within {limit:.0f} virtual seconds; {status}"
            await asyncio.sleep(1.0)

    async def end(self) -> None:
        """Stop everything."""
        self._reader.cancel()
        for process in self.processes:
            await process.kill()
        await self.world.end()
        self.images.close()

    # --- the verdict -------------------------------------------------------------------------------------------
    def problems(self) -> list[str]:
        """Everything that was violated in this world."""
        return truth.broken(self.world)

    def end_state(self) -> dict[str, Any]:
        """What is there once everything is done, without what may differ between runs."""
        record = self.record()
        return {
            **truth.world_state(self.world, record.cluster_id if record else ""),
            "inventory": sorted(record.inventory) if record else [],
            "secrets": [name for name in self.secrets() if not name.endswith("-evidence")],  # there where something has failed
            "object": self.object() is not None,
        }
