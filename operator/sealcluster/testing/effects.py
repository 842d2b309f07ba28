"""Every change that an operator makes, numbered; and operators that die before, while or after making one.

The wrappers stand around the ports of one operator. When the effect with the chosen number comes, `Crash` is raised; from then
on that operator is dead and every further call of it dies as well, so that no ``finally`` of it can change the world.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sealcluster.core.evidence import Evidence
from sealcluster.core.facts import ClusterFacts, HostFacts
from sealcluster.core.ops import Job, JobResult
from sealcluster.core.ports import (
    PKI,
    Credentials,
    Endpoint,
    FactsQuery,
    Fence,
    HostPort,
    Hosts,
    HostTarget,
    Management,
    Progress,
    PullAuth,
    Workload,
    Workloads,
)
from sealcluster.core.state import StateRecord

T = TypeVar("T")
SIDES = ("before", "during", "after")
MOMENT = 1.0
"""Seconds into an effect at which ``during`` strikes."""


class Crash(BaseException):
    """The operator's process is gone. Not an `Exception`: nothing that the engine does on purpose may survive it."""


@dataclass
class Effects:
    """The counter of one operator's life. `crash_at` counts from 1; 0: never."""

    crash_at: int = 0
    side: str = "before"
    count: int = 0
    names: list[str] = field(default_factory=list)
    dead: bool = False
    on_death: Callable[[], None] = lambda: None
    running: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared while this operator is paused: a stopped container, a machine that swaps, a virtual machine that migrates."""

    def __post_init__(self) -> None:
        self.running.set()

    def die(self) -> None:
        """End this operator now (also usable from outside)."""
        if not self.dead:
            self.dead = True
            self.on_death()
        raise Crash(f"at effect {self.count} ({self.names[-1] if self.names else 'none yet'}), {self.side}")

    def alive(self) -> None:
        """Raise `Crash` when this operator is dead."""
        if self.dead:
            raise Crash("dead")

    async def look(self, call: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """A call that changes nothing."""
        self.alive()
        await self.running.wait()
        result = await call()
        await self.running.wait()
        self.alive()
        return result

    async def change(self, name: str, call: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """A call that changes something."""
        self.alive()
        await self.running.wait()
        self.count += 1
        self.names.append(name)
        mine = self.count == self.crash_at
        if mine and self.side == "before":
            self.die()
        if mine and self.side == "during":
            await self._strike(call)
        result = await call()
        await self.running.wait()
        self.alive()
        if mine:
            self.die()
        return result

    async def _strike(self, call: Callable[[], Coroutine[Any, Any, T]]) -> None:
        task = asyncio.ensure_future(call())
        await asyncio.wait({task}, timeout=MOMENT)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task
        self.die()


class CountedHosts:
    """`Hosts` whose changes are effects."""

    def __init__(self, inner: Hosts, effects: Effects) -> None:
        self._inner = inner
        self._effects = effects

    def host(self, target: HostTarget) -> HostPort:
        """The machine, wrapped."""
        return _CountedHost(self._inner.host(target), self._effects, target.name)

    async def close(self) -> None:
        """Close; the dead close nothing."""
        if not self._effects.dead:
            await self._inner.close()


class _CountedHost:
    def __init__(self, inner: HostPort, effects: Effects, name: str) -> None:
        self._inner = inner
        self._effects = effects
        self._name = name

    @property
    def host_key(self) -> str:
        return self._inner.host_key

    @property
    def bastion_key(self) -> str:
        return self._inner.bastion_key

    async def facts(self, query: FactsQuery) -> HostFacts:
        return await self._effects.look(lambda: self._inner.facts(query))

    async def run(self, job: Job, attempt: int, fence: Fence, progress: Progress | None = None) -> JobResult:
        name = f"{self._name}: run {job.step} #{attempt}"
        return await self._effects.change(name, lambda: self._inner.run(job, attempt, fence, progress))

    async def send(self, digest: str, source: Path, cluster_id: str, progress: Progress | None = None) -> int:
        name = f"{self._name}: send {digest[:8]}"
        return await self._effects.change(name, lambda: self._inner.send(digest, source, cluster_id, progress))

    async def missing(self, digests: Sequence[str], tree: str = "") -> frozenset[str]:
        return await self._effects.look(lambda: self._inner.missing(digests, tree))


class CountedManagement:
    """`Management` whose changes are effects."""

    def __init__(self, inner: Management, effects: Effects) -> None:
        self._inner = inner
        self._effects = effects

    async def load_state(self) -> tuple[StateRecord | None, str]:
        """Look."""
        return await self._effects.look(self._inner.load_state)

    async def save_state(self, record: StateRecord, version: str) -> str:
        """Effect."""
        return await self._effects.change("management: save state", lambda: self._inner.save_state(record, version))

    async def load_pki(self) -> PKI | None:
        """Look."""
        return await self._effects.look(self._inner.load_pki)

    async def create_pki(self, pki: PKI) -> None:
        """Effect."""
        await self._effects.change("management: create PKI", lambda: self._inner.create_pki(pki))

    async def save_kubeconfig(self, text: str) -> None:
        """Effect."""
        await self._effects.change("management: save kubeconfig", lambda: self._inner.save_kubeconfig(text))

    async def load_kubeconfig(self) -> str | None:
        """Look."""
        return await self._effects.look(self._inner.load_kubeconfig)

    async def credentials(self, reference: str) -> Credentials:
        """Look."""
        return await self._effects.look(lambda: self._inner.credentials(reference))

    async def text(self, kind: str, reference: str, key: str) -> str:
        """Look."""
        return await self._effects.look(lambda: self._inner.text(kind, reference, key))

    async def pull_auth(self, references: Sequence[str]) -> PullAuth:
        """Look."""
        return await self._effects.look(lambda: self._inner.pull_auth(references))

    async def stamp(self, kind: str, reference: str) -> str:
        """Look."""
        return await self._effects.look(lambda: self._inner.stamp(kind, reference))

    async def load_evidence(self) -> tuple[Evidence, ...]:
        """Look."""
        return await self._effects.look(self._inner.load_evidence)

    async def save_evidence(self, entries: tuple[Evidence, ...]) -> None:
        """No effect that anything depends on."""
        await self._effects.look(lambda: self._inner.save_evidence(entries))

    async def purge(self) -> None:
        """Effect."""
        await self._effects.change("management: purge", self._inner.purge)


class CountedWorkloads:
    """`Workloads` whose changes are effects."""

    def __init__(self, inner: Workloads, effects: Effects) -> None:
        self._inner = inner
        self._effects = effects

    def open(self, cluster: str, endpoints: Sequence[Endpoint], domain: str, pki: PKI) -> Workload:
        """The API, wrapped."""
        return _CountedWorkload(self._inner.open(cluster, endpoints, domain, pki), self._effects)


class _CountedWorkload:
    def __init__(self, inner: Workload, effects: Effects) -> None:
        self._inner = inner
        self._effects = effects

    async def facts(self) -> ClusterFacts:
        return await self._effects.look(self._inner.facts)

    async def ensure_token(self, token: str, ttl: float) -> None:
        await self._effects.change("workload: token", lambda: self._inner.ensure_token(token, ttl))

    async def patch_node(self, name: str, labels: Mapping[str, str | None], taints: Sequence[tuple[str, str, str]] | None) -> None:
        await self._effects.change(f"workload: patch {name}", lambda: self._inner.patch_node(name, labels, taints))

    async def set_unschedulable(self, name: str, value: bool) -> None:
        await self._effects.change(f"workload: cordon {name} {value}", lambda: self._inner.set_unschedulable(name, value))

    async def evict_pods(self, node: str, *, force: bool = False, empty_dir: bool = True) -> tuple[int, str]:
        return await self._effects.change(f"workload: evict {node}", lambda: self._inner.evict_pods(node, force=force, empty_dir=empty_dir))

    async def delete_node(self, name: str, uid: str) -> None:
        await self._effects.change(f"workload: delete {name}", lambda: self._inner.delete_node(name, uid))
