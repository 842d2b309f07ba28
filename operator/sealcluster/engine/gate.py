"""The one door to every effect."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from sealcluster.core.digest import digest
from sealcluster.core.errors import JobFailed, StateConflict, TransientError
from sealcluster.core.facts import HostFacts, JobFacts, JournalEntry
from sealcluster.core.ops import Job, JobResult, PutFiles
from sealcluster.core.ports import PKI, Fence, HostPort, Images, Management, Progress, Workload
from sealcluster.core.state import StateRecord
from sealcluster.core.view import ClusterView
from sealcluster.engine.record import Record

NO_SPACE = "no space left on device"
SENDS_PER_HOST = 2
FENCE = "fence"
"""The step that does nothing but show a machine our fencing number."""


def showing(number: int) -> Job:
    """The job that shows a machine a fencing number. Its digest is a hash, as all are: directories are named after its first characters."""
    return Job(FENCE, digest(FENCE, number), PutFiles(), timeout=60)


class Memory(Protocol):
    """What the gate needs of the engine's memory."""

    @property
    def facts(self) -> Mapping[str, HostFacts]:
        """The last look at each host."""
        ...

    def port(self, host: str) -> HostPort:
        """The connection to a host."""
        ...

    def workload(self) -> Workload:
        """The new cluster's API."""
        ...

    async def look(self, host: str) -> None:
        """Look at a host now."""
        ...


class Gate:
    """Fence and journal around everything that changes the world."""

    def __init__(self, memory: Memory, record: Record, management: Management, images: Images) -> None:
        self._memory = memory
        self._record = record
        self._management = management
        self._images = images
        self._attempts: dict[tuple[str, str], int] = {}
        self._plan: ClusterView | None = None
        self._held: set[str] = set()

    def planned(self, view: ClusterView) -> Gate:
        """The door for one action that was planned on this view: machines may have been looked at again since, which its plan knows nothing of."""
        door = copy.copy(self)  # attempts are counted together
        door._plan, door._held = view, set()
        return door

    async def update_state(self, change: Callable[[StateRecord], StateRecord]) -> StateRecord:
        """Compare-and-swap of the state record."""
        return await self._record.update(change)

    # --- hosts -------------------------------------------------------------------------------------------------
    async def run(self, host: str, job: Job, *, reason: str) -> JobResult:
        """Start the next attempt of a job, or re-attach to the one that runs."""
        if job.step != FENCE:
            await self._first_touch(host)
        facts = self._memory.facts.get(host)
        running = facts.jobs.get(job.step) if facts else None
        fence = Fence(self._record.state.cluster_id, self._record.state.fence)
        port = self._memory.port(host)
        if running is not None and running.state == "running":
            attached = Job(job.step, running.digest, job.op, job.timeout)
            self._attempts[host, job.step] = running.attempt
            result = await port.run(attached, running.attempt, fence)
            if running.digest != job.digest:
                raise TransientError(f"running {job.step}: an earlier run with other inputs has just ended", host=host, step=job.step)
        else:
            attempt = max(facts.attempts(job.step) if facts else 0, self._attempts.get((host, job.step), 0)) + 1
            self._attempts[host, job.step] = attempt
            result = await port.run(job, attempt, fence)
        if result.rc != 0:
            raise _failed(host, job, result, reason)
        return result

    async def _first_touch(self, host: str) -> None:
        """Before anything else of ours starts on a machine that knew an older operator when it was planned: shut that one out, then see that
        nothing changed.

        It may have been paused while we took over and looked, and have started something since, which our plan knows nothing of.
        """
        if host in self._held:
            return
        state = self._record.state
        now = self._memory.facts.get(host)
        known = self._plan.hosts.get(host) if self._plan is not None else None
        seen = known.facts if known is not None else now
        if seen is None or seen.owner is None or seen.owner.cluster_id != state.cluster_id or seen.fence >= state.fence:
            return
        if now is None or now.fence < state.fence:
            now = await self.hold(host)
        if now is None:
            raise TransientError(f"looking at {host} before the first change: it does not answer", reason="HostUnreachable", host=host)
        if _work(now) != _work(seen):
            raise StateConflict(f"taking {host} over: an earlier operator has gone on working there meanwhile; it is looked at anew")
        self._held.add(host)

    async def send(self, host: str, digests: Sequence[str], progress: Progress | None = None) -> int:
        """Content parts into the host's store."""
        port = self._memory.port(host)
        slots = asyncio.Semaphore(SENDS_PER_HOST)

        async def one(digest: str) -> int:
            async with slots:
                path = await self._images.open_part(digest)
                return await port.send(digest, path, self._record.state.cluster_id, progress)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(d)) for d in dict.fromkeys(digests)]
        return sum(t.result() for t in tasks)

    async def missing(self, host: str, digests: Sequence[str], tree: str = "") -> frozenset[str]:
        """Which digests the host lacks."""
        return await self._memory.port(host).missing(digests, tree) if digests else frozenset()

    async def refresh(self, host: str) -> None:
        """Look at a host now."""
        await self._memory.look(host)

    async def hold(self, host: str) -> HostFacts | None:
        """Show the host our fence, so that no older operator can start anything there any more, then look at it."""
        await self.run(host, showing(self._record.state.fence), reason="ScriptFailed")
        await self._memory.look(host)
        return self._memory.facts.get(host)

    # --- the management plane and the new cluster ----------------------------------------------------------------
    async def create_pki(self, pki: PKI) -> None:
        """Store new authorities, then remember that they were made."""
        await self._management.create_pki(pki)
        await self._record.update(_pki_made)

    async def save_kubeconfig(self, text: str) -> None:
        """Publish the admin kubeconfig."""
        await self._management.save_kubeconfig(text)

    async def forget_host(self, host: str) -> None:
        """Drop a released host's row."""
        await self._record.update(lambda s: s.without_host(host))

    @property
    def workload(self) -> Workload:
        """The new cluster's API."""
        return self._memory.workload()


def _work(facts: HostFacts) -> tuple[dict[str, JournalEntry], dict[str, JobFacts]]:
    """What was done and is being done on a machine, our own sign apart."""
    return {k: v for k, v in facts.journal.items() if k != FENCE}, {k: v for k, v in facts.jobs.items() if k != FENCE}


def _pki_made(record: StateRecord) -> StateRecord:
    return replace(record, pki_created=True)


def telling_line(log: str) -> str:
    """The line of a log that says most: kubeadm's fatal checks first, then the last line that is not advice."""
    lines = [line.strip() for line in log.splitlines() if line.strip() and "see the stack trace" not in line]
    fatal = [line for line in lines if line.startswith("[ERROR ")]
    return "; ".join(fatal) or (lines[-1] if lines else "")


def _failed(host: str, job: Job, result: JobResult, reason: str) -> JobFailed:
    if NO_SPACE in result.log.lower():  # containerd writes it small, the C library large
        return JobFailed(
            f"running {job.step} on {host}: the disk is full", reason="DiskFull", host=host, step=job.step,
            exit_code=result.rc, output=result.log, unit=result.unit, unit_log=result.unit_log,
            hint="free space on the machine; the step is tried again by itself",
        )  # fmt: skip
    last = telling_line(result.log)
    return JobFailed(
        f"running {job.step} on {host}: exit code {result.rc}{': ' + last.strip()[:300] if last else ''}",
        reason=reason,
        host=host,
        step=job.step,
        exit_code=result.rc,
        output=result.log,
        unit=result.unit,
        unit_log=result.unit_log,
    )
