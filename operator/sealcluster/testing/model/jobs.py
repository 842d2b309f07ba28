"""Detached jobs of one machine: a directory per (step, digest, attempt), run once, leaving rc and log."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from sealcluster.core.facts import JobFacts
from sealcluster.core.ops import JobResult

Key = tuple[str, str, int]
"""Step, digest, attempt."""


@dataclass
class JobRun:
    """One attempt."""

    key: Key
    kind: str
    """Class name of its op."""
    task: asyncio.Task[None] | None = None
    result: JobResult | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it ended or was interrupted."""

    @property
    def state(self) -> str:
        """``running``, ``interrupted`` or ``ended``."""
        if self.result is not None:
            return "ended"
        return "running" if self.task is not None else "interrupted"


@dataclass
class JobTable:
    """All attempts whose directory is still there."""

    runs: dict[Key, JobRun] = field(default_factory=dict)

    def running(self) -> list[JobRun]:
        """Attempts whose unit is active."""
        return [run for run in self.runs.values() if run.state == "running"]

    def interrupt(self) -> list[JobRun]:
        """Power is lost: kill what runs, leave the directories."""
        cut = self.running()
        for run in cut:
            task, run.task = run.task, None
            if task is not None:
                task.cancel()
            run.ended.set()
        return cut

    def facts(self) -> dict[str, JobFacts]:
        """By step, the newest attempt that has no end yet."""
        unfinished = [run for run in self.runs.values() if run.state != "ended"]
        found: dict[str, JobFacts] = {}
        for run in sorted(unfinished, key=lambda r: r.key[2]):
            step, digest, attempt = run.key
            newest = max(r.key[2] for r in self.runs.values() if r.key[0] == step)
            if attempt == newest:
                found[step] = JobFacts(step, digest, attempt, run.state)
        return found
