"""One machine under test, whatever is behind it, and the list of cases that it goes through."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from sealcluster.core.facts import HostFacts
from sealcluster.core.ops import Claim, File, Job, JobResult, Op, PutFiles, RunScript
from sealcluster.core.ports import FactsQuery, Fence, HostPort

CLUSTER = "c0ffee00c0ffee00"
OTHER = "deadbeefdeadbeef"
WORK = "/var/lib/sealcluster-contract"


class Rig(Protocol):
    """One machine under test."""

    def connect(self) -> HostPort:
        """A new link, as a new operator makes it."""
        ...

    async def cut(self) -> None:
        """The operator loses its way to the machine; the machine runs on."""
        ...

    async def heal(self) -> None:
        """The way is there again."""
        ...

    async def power_cycle(self) -> None:
        """Power is lost without warning and comes back; returns when sshd answers."""
        ...

    async def read(self, path: str) -> bytes | None:
        """A file's content, past the port; None when there is none."""
        ...

    async def write(self, path: str, content: bytes) -> None:
        """Change a file behind the port's back."""
        ...

    def part(self, content: bytes) -> tuple[str, Path]:
        """A local file with this content: its digest and path."""
        ...


Case = Callable[[Rig], Awaitable[None]]
CASES: list[Case] = []


def case(function: Case) -> Case:
    """Register a case."""
    CASES.append(function)
    return function


def fence(number: int = 1, cluster: str = CLUSTER) -> Fence:
    return Fence(cluster, number)


def job(step: str, op: Op, digest: str = "d1", timeout: float = 120.0) -> Job:
    return Job(step, hashlib.sha256(digest.encode()).hexdigest(), op, timeout)


async def claim(host: HostPort, number: int = 1) -> JobResult:
    return await host.run(job("claim", Claim(CLUSTER, "m1")), 1, fence(number))


async def script(host: HostPort, name: str, text: str) -> RunScript:
    """Put a script on the machine; the op that runs it."""
    put = PutFiles((File(f"{WORK}/{name}", text.encode(), 0o755),))
    result = await host.run(job(f"put-{name}", put, text), 1, fence())
    assert result.rc == 0, result.log
    return RunScript(WORK, name)


async def look(host: HostPort) -> HostFacts:
    return await host.facts(FactsQuery())


async def count(rig: Rig, name: str) -> int:
    return len((await rig.read(f"{WORK}/{name}") or b"").splitlines())


async def until(what: str, holds: Callable[[], Awaitable[bool]], seconds: float = 60.0) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not await holds():
        assert asyncio.get_running_loop().time() < deadline, f"waited {seconds:.0f} s for {what}"
        await asyncio.sleep(0.2)
