"""`HostPort` and `Hosts` on the model: the operator's end of the wire."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

from sealcluster.core.errors import Fenced, TerminalError, TransientError
from sealcluster.core.facts import HostFacts, JournalEntry
from sealcluster.core.ops import Claim, CleanHost, Job, JobResult
from sealcluster.core.ports import FactsQuery, Fence, HostTarget, Progress
from sealcluster.engine.gate import FENCE
from sealcluster.host.operations import REPEATABLE
from sealcluster.host.secrets_of import secrets_of
from sealcluster.ssh.redact import Redactor
from sealcluster.testing.clock import VirtualClock
from sealcluster.testing.model import login, observe
from sealcluster.testing.model.execution import Execution
from sealcluster.testing.model.interpreter import carry_out
from sealcluster.testing.model.jobs import JobRun
from sealcluster.testing.model.machine import Machine
from sealcluster.testing.model.world import ModelWorld

CONNECT_TIMEOUT = 10.0
KEEPALIVE = 15.0
"""Seconds after which a cut link is noticed."""
CHUNK = 1 << 20
BYTES_PER_SECOND = 100 << 20
ASIDE = frozenset({"GenerateCSRs", "InstallCertificates"})
"""Ops that touch nothing which others use: they may run beside them."""
ALONE = frozenset({"KubeadmInit", "KubeadmJoin", "KubeadmReset", "CleanHost", "Claim"})
"""Ops beside which nothing may run."""


def disturbs(first: str, second: str) -> bool:
    """Must two ops of these kinds never run on one machine at the same time?"""
    kinds = {first, second}
    return bool(kinds & ALONE) or not kinds & ASIDE or first == second


class ModelHosts:
    """All machines as one operator reaches them."""

    def __init__(self, world: ModelWorld, clock: VirtualClock | None = None) -> None:
        self.world = world
        self.clock = clock or VirtualClock()

    def host(self, target: HostTarget) -> ModelHost:
        """The machine behind this target; nothing is checked before its first use."""
        return ModelHost(self.world, self.clock, target)

    async def close(self) -> None:
        """Nothing stays open."""


class ModelHost:
    """One machine through one link."""

    def __init__(self, world: ModelWorld, clock: VirtualClock, target: HostTarget) -> None:
        self.world = world
        self.clock = clock
        self.target = target
        self._host_key = ""
        self._bastion_key = ""

    @property
    def host_key(self) -> str:
        """The key that was shown at the last contact."""
        return self._host_key

    @property
    def bastion_key(self) -> str:
        """The same for the jump host."""
        return self._bastion_key

    # --- the wire ----------------------------------------------------------------------------------------------
    async def _connect(self, kind: str) -> Machine:
        machine = self.world.network.at(self.target.address)
        name = machine.name if machine is not None else self.target.address
        self.world.ledger.calls[name] += 1
        await asyncio.sleep(self.world.timing.sample(kind, name) * (machine.slow if machine else 1.0))
        if machine is None or not self._linked(machine):
            await asyncio.sleep(CONNECT_TIMEOUT)
            raise self._unreachable("connecting: timed out")
        self._host_key = self._bastion_key = ""
        login.meet(machine, self.target, self.world.network)
        self._host_key = machine.host_key
        if self.target.bastion is not None and self.world.network.bastion is not None:
            self._bastion_key = self.world.network.bastion_key
        login.enter(machine, self.target)
        return machine

    def _linked(self, machine: Machine) -> bool:
        return self.world.network.operator_reaches(machine) and machine.port == self.target.port

    def _unreachable(self, what: str) -> TransientError:
        return TransientError(
            f"{what}", reason="HostUnreachable", host=self.target.name, hint="check the machine, its network and its SSH server"
        )

    @contextlib.asynccontextmanager
    async def _watched(self, machine: Machine, what: str) -> AsyncIterator[None]:
        """Raise TransientError when the link is lost or the machine goes down before the body ends."""
        boot = machine.boots
        yield
        if not self._linked(machine) or machine.boots != boot:
            await asyncio.sleep(KEEPALIVE)
            raise self._unreachable(f"{what}: the connection was lost")

    # --- the port ----------------------------------------------------------------------------------------------
    async def facts(self, query: FactsQuery) -> HostFacts:
        """One look."""
        machine = await self._connect("facts")
        async with self._watched(machine, "gathering facts"):
            return observe.look(self.world, machine, query, self.clock.now())

    async def run(self, job: Job, attempt: int, fence: Fence, progress: Progress | None = None) -> JobResult:
        """Start or attach, then wait."""
        machine = await self._connect("start")
        run = self._start(machine, job, attempt, fence)
        while not run.ended.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(KEEPALIVE):
                    await run.ended.wait()
            if not self._linked(machine):
                raise self._unreachable(f"waiting for {job.step}: the connection was lost")
        if not self._linked(machine):
            await asyncio.sleep(KEEPALIVE)
            raise self._unreachable(f"waiting for {job.step}: the connection was lost")
        if run.result is None:
            raise TransientError(
                f"running {job.step}: the machine went down before it ended", reason="JobInterrupted", host=self.target.name, step=job.step
            )
        return self._redacted(job, run.result)

    def _redacted(self, job: Job, result: JobResult) -> JobResult:
        """What the real port lets out of a job's output."""
        c = self.target.credentials
        redact = Redactor((c.password, c.private_key, c.passphrase, c.become_password)).plus(secrets_of(job.op))
        return replace(result, log=redact(result.log), output=redact(result.output))

    def _start(self, machine: Machine, job: Job, attempt: int, fence: Fence) -> JobRun:
        if machine.owner is not None or not isinstance(job.op, Claim):
            self._check_owner(machine, fence.cluster_id, f"starting {job.step}", job.step)
        if fence.number < machine.fence:
            raise Fenced(
                f"starting {job.step}: the host has seen number {machine.fence}, ours is {fence.number}",
                host=self.target.name,
                step=job.step,
            )
        machine.fence = fence.number
        key = (job.step, job.digest, attempt)
        known = machine.jobs.runs.get(key)
        if known is not None:
            return known
        self.world.note(f"{machine.name}: start {job.step} #{attempt} {job.digest[:8]} ({type(job.op).__name__})")
        self.world.ledger.started(self.world.now(), (f"{machine.name}/{machine.era}", *key))
        if isinstance(job.op, CleanHost):
            for cut in machine.jobs.interrupt():
                self.world.note(f"{machine.name}: {cut.key[0]} #{cut.key[2]} is ended")
        for other in machine.jobs.running():
            if FENCE not in (job.step, other.key[0]) and disturbs(type(job.op).__name__, other.kind):  # it writes no file
                self.world.violate(f"{machine.name}: {job.step} #{attempt} started while {other.key[0]} #{other.key[2]} runs")
        flushed = not isinstance(job.op, REPEATABLE)
        run = JobRun(key, type(job.op).__name__)
        machine.jobs.runs[key] = run
        machine.record(JournalEntry(job.step, job.digest, attempt, "started", None, self.world.now() + machine.skew), flushed=flushed)
        run.task = self.world.spawn(self._carry_out(machine, job, run), f"{machine.name}/{job.step}#{attempt}")
        return run

    def _check_owner(self, machine: Machine, cluster_id: str, doing: str, step: str | None = None) -> None:
        if machine.owner is None:
            raise TransientError(f"{doing}: the machine belongs to nobody (any more)", host=self.target.name, step=step)
        if machine.owner.cluster_id != cluster_id:
            raise TerminalError(
                f"{doing}: the host belongs to cluster {machine.owner.cluster_id}",
                reason="HostOfAnotherCluster",
                host=self.target.name,
                step=step,
                exit_code=77,
            )

    async def _carry_out(self, machine: Machine, job: Job, run: JobRun) -> None:
        execution = Execution(self.world, machine, job)
        try:
            async with asyncio.timeout(job.timeout):
                result = await carry_out(execution)
        except TimeoutError:
            result = JobResult(124, "\n".join([*execution.log, f"ended after {job.timeout:.0f}s"]), "", job.timeout)
        run.result, run.task = result, None
        if result.rc == 0:
            self.world.ledger.successes[f"{machine.name}/{machine.era}", job.step, job.digest] += 1
        if machine.owner is not None:
            state = "done" if result.rc == 0 else "failed"
            flushed = not isinstance(job.op, REPEATABLE)
            machine.record(
                JournalEntry(job.step, job.digest, run.key[2], state, result.rc, self.world.now() + machine.skew), flushed=flushed
            )
        else:
            machine.jobs.runs.clear()
        self.world.pods.sync(machine, self.world.now())
        self.world.note(f"{machine.name}: end {job.step} #{run.key[2]} rc={result.rc} {result.log.splitlines()[-1] if result.rc else ''}")
        run.ended.set()

    async def send(self, digest: str, source: Path, cluster_id: str, progress: Progress | None = None) -> int:
        """Bring one part; a cut link leaves a partial one that the next call goes on with."""
        machine = await self._connect("connect")
        self._check_owner(machine, cluster_id, "sending a part")
        machine.prove_store()
        content = self.world.content.get(digest)
        if content is None:
            content = self.world.content[digest] = self._verified(digest, source)
        if digest in machine.store:
            return 0
        sent, size = 0, len(content)
        while machine.partial.get(digest, 0) < size:
            at = machine.partial.get(digest, 0)
            step = min(CHUNK, size - at)
            await asyncio.sleep(step / BYTES_PER_SECOND * machine.slow + 0.002)
            if not self._linked(machine):
                raise self._unreachable("sending a part: the connection was lost")
            if machine.files.full:
                raise TransientError(
                    "sending a part: No space left on device", reason="DiskFull", host=self.target.name, hint="free disk space"
                )
            machine.partial[digest] = at + step
            sent += step
        machine.partial.pop(digest, None)
        machine.store[digest] = size
        self.world.ledger.bytes_sent[machine.name] += sent
        return sent

    @staticmethod
    def _verified(digest: str, source: Path) -> bytes:
        content = source.read_bytes()
        if login.sha256(content) != digest:
            raise TransientError(f"sending a part: its content is not {digest[:12]}", reason="ImageCorrupt")
        return content

    async def missing(self, digests: Sequence[str], tree: str = "") -> frozenset[str]:
        """What lies neither in the store nor in the tree."""
        machine = await self._connect("connect")
        machine.prove_store()
        blobs = machine.registry.trees[tree].blobs if tree in machine.registry.trees else set()
        return frozenset(d for d in digests if d not in machine.store and d not in blobs)
