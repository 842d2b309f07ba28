"""Running a job on a host: start or find it, follow it, read its result. The link may break: the job does not."""

from __future__ import annotations

import asyncio
import math
import re
import time
from dataclasses import dataclass, replace

from sealcluster.core.errors import Fenced, TransientError
from sealcluster.core.ops import Claim, CleanHost, Job, JobResult
from sealcluster.core.ports import Fence, Progress
from sealcluster.host.framing import sections, text
from sealcluster.host.layout import Layout
from sealcluster.host.operations import REPEATABLE, recipe
from sealcluster.host.refusals import of_another_cluster, of_nobody
from sealcluster.host.scripts import Value, assemble, nonce
from sealcluster.host.secrets_of import secrets_of
from sealcluster.host.unit_logs import unit_of
from sealcluster.ssh.connection import Connection
from sealcluster.ssh.plain import plain
from sealcluster.ssh.redact import Redactor

WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+-]*")
"""What step names, digests and cluster ids may look like: they are words in the journal."""

PROGRESS = 200
"""Characters of a line of progress that are told."""
CUT = "[…]\n"
"""Where a log begins with this, the machine left out what came before."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for what; seconds."""

    poll: float = 25.0
    """A command that follows a job ends after this time, and the next one goes on: a dead link is noticed."""
    slack: float = 90.0
    """How much longer than `poll` such a command may take."""
    reconnect: float = 60.0
    """For how long a lost link is tried again before the job is left alone."""
    pause: float = 1.0
    """Between two tries."""


@dataclass(frozen=True, slots=True)
class Running:
    """Everything that identifies one attempt of a job."""

    host: str
    job: Job
    attempt: int
    fence: Fence

    @property
    def directory(self) -> str:
        """Name of its directory and, with a prefix, of its unit."""
        short = self.job.digest.rpartition(":")[2][:12]
        return f"{re.sub(r'[^A-Za-z0-9._-]', '_', self.job.step)}-{short}-{self.attempt}"

    def check(self) -> None:
        """Refuse what would not survive the journal's lines."""
        for what, value in (("step", self.job.step), ("digest", self.job.digest), ("cluster id", self.fence.cluster_id)):
            if not WORD.fullmatch(value):
                raise ValueError(f"starting a job on host {self.host}: {what} {value!r} is not one plain word")

    def values(self, layout: Layout) -> dict[str, Value]:
        """Variables of the script that starts and follows it."""
        return {
            "R": layout.prefix,
            "cluster": self.fence.cluster_id,
            "fence": self.fence.number,
            "step": self.job.step,
            "digest": self.job.digest,
            "attempt": self.attempt,
            "flush": not isinstance(self.job.op, REPEATABLE),
            "job": self.directory,
            "seconds": max(1, int(self.job.timeout)),
            "keep": 48,
            "final": isinstance(self.job.op, CleanHost),
            "owned": not isinstance(self.job.op, Claim),
        }


class JobRunner:
    """Runs jobs over one connection."""

    def __init__(self, connection: Connection, layout: Layout, patience: Patience) -> None:
        self._connection, self._layout, self._patience = connection, layout, patience

    async def run(self, running: Running, progress: Progress | None) -> JobResult:
        """See `core.ports.HostPort.run`."""
        running.check()
        archive = self._archive(running)
        redact = self._connection.redact.plus(secrets_of(running.job.op))

        def tell(said: str) -> None:
            if progress is not None:
                kind, _, line = said.partition(" ")
                part = kind != "line"
                progress(redact(plain(line.encode()), cut=part, unfinished=part)[:PROGRESS])

        deadline: float | None = None
        while True:
            before = self._connection.commands
            try:
                answer = await self._ask(running, archive, tell)
            except TransientError as error:
                now = time.monotonic()
                begun = deadline is not None or self._connection.commands > before
                if error.reason != "HostUnreachable" or not begun or (deadline is not None and now >= deadline):
                    raise
                deadline = deadline or now + self._patience.reconnect
                await asyncio.sleep(self._patience.pause)
                continue
            deadline = None
            result = self._understood(running, answer)
            if result is not None:
                log, unit_log = (_masked(redact, said) for said in (result.log, result.unit_log))
                return replace(result, log=log, output=redact(result.output), unit_log=unit_log)

    def _archive(self, running: Running) -> bytes:
        """The job's files: its script with what it shares, the wrapper, the inputs."""
        how = recipe(running.job.op)
        values = running.values(self._layout)
        directory = f"{self._layout.prefix}/var/lib/sealcluster/jobs/{running.directory}"
        shared: dict[str, Value] = {name: values[name] for name in ("R", "step", "digest", "attempt", "flush", "seconds", "final")}
        shared["watched"] = unit_of(running.job)
        shared |= {"d": directory, "N": nonce(), "PATH": self._layout.path}
        script = assemble(shared, "env", "base", "journal", "op") + ". ./in/vars\n" + assemble({}, *how.scripts)
        wrapper = assemble(shared, "env", "base", "journal", "wrapper")
        return how.inputs.put("run", script).put("wrapper", wrapper).tar()

    async def _ask(self, running: Running, archive: bytes, tell: Progress) -> dict[str, bytes]:
        mark = nonce()
        values = {**running.values(self._layout), "N": mark, "wait": int(self._patience.poll)}
        prefix = f"={mark} progress "

        def on_line(line: str) -> bool:
            if not line.startswith(prefix):
                return False
            tell(line.removeprefix(prefix))
            return True

        doing = f"running {running.job.step}"
        output = await self._connection.execute(
            assemble(values, "base", "journal", "start"),
            archive,
            within=self._patience.poll + self._patience.slack,
            doing=doing,
            on_line=on_line,
        )
        found = sections(output.stdout, mark)
        if not found or found[-1][0] != "end":
            raise TransientError(
                f"{doing} on host {running.host}: the script that follows the job broke off (exit code {output.rc})",
                # whoever ends sshd ends this script too: the job goes on, and is found again
                reason="HostUnreachable" if output.rc < 0 else None,
                host=running.host,
                step=running.job.step,
                exit_code=output.rc,
                output=output.stderr[-2000:],
            )
        return dict(found)

    def _understood(self, running: Running, answer: dict[str, bytes]) -> JobResult | None:
        try:
            result = self._result(running, answer)
        except (ValueError, KeyError, IndexError) as error:  # a machine may say anything
            raise TransientError(
                f"running {running.job.step} on host {running.host}: its answer is none of ours: {type(error).__name__}",
                host=running.host,
                step=running.job.step,
            ) from error
        return result if result is None or 0 <= result.seconds < math.inf else replace(result, seconds=0.0)

    def _result(self, running: Running, answer: dict[str, bytes]) -> JobResult | None:
        """None: it still runs."""
        host, step = running.host, running.job.step
        for title in answer:
            kind, *words = title.split(" ")
            match kind:
                case "rc":
                    output = plain(answer["out"])
                    unit_log = text(answer.get("unit", b""))
                    unit = unit_of(running.job) if unit_log else ""
                    return JobResult(int(words[0]), text(answer["log"]), output, float(words[1]), unit, unit_log)
                case "running":
                    return None
                case "other":
                    raise of_another_cluster(f"running {step}", host, " as ".join(words), step)
                case "free":
                    raise of_nobody(f"running {step}", host, step)
                case "fenced":
                    raise Fenced(
                        f"running {step} on host {host}: it has seen fencing number {words[0]}, ours is {running.fence.number}",
                        host=host,
                        step=step,
                    )
                case "interrupted":
                    raise TransientError(
                        f"running {step} on host {host}: attempt {running.attempt} was interrupted",
                        host=host,
                        step=step,
                    )
                case "busy":
                    raise TransientError(f"running {step} on host {host}: another job starts there", host=host, step=step)
                case "refused":
                    raise refusal(host, step, self._connection.redact(" ".join(words)))
                case _:
                    continue
        raise TransientError(f"running {step} on host {host}: no word about the job", host=host, step=step)


def _masked(redact: Redactor, log: str) -> str:
    rest = log.removeprefix(CUT)
    return redact(log) if rest == log else CUT + redact(rest, cut=True)


def refusal(host: str, step: str, said: str) -> TransientError:
    """The host could not even store the job."""
    full = "No space left" in said or "100%" in said or "Disk quota" in said
    return TransientError(
        f"running {step} on host {host}: {said}",
        reason="DiskFull" if full else None,
        host=host,
        step=step,
        hint="free some space below /var/lib on the host" if full else "make /var/lib/sealcluster on the host writable",
    )
