"""One machine over SSH: the implementation of `core.ports.HostPort`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from sealcluster.core.errors import TransientError
from sealcluster.core.facts import HostFacts
from sealcluster.core.ops import Job, JobResult
from sealcluster.core.ports import FactsQuery, Fence, Progress
from sealcluster.host import transfer
from sealcluster.host.facts import facts_script, parse_facts
from sealcluster.host.jobs import JobRunner, Patience, Running
from sealcluster.host.layout import Layout
from sealcluster.host.scripts import nonce
from sealcluster.ssh.connection import Connection
from sealcluster.ssh.plain import plain

FACTS_TIMEOUT = 45.0
FACTS_LIMIT = 4 << 20
"""Bytes; a machine with 2,000 managed files has a tenth of it. What is larger is kept for none of 2,000 machines."""
COMMAND = 'text=$(cat) && eval "$text" 2>&1 </dev/null'
"""Runs what comes on standard input, which its commands do not get."""


class SshHost:
    """See `core.ports.HostPort`; `name` is what errors call the host."""

    def __init__(self, name: str, connection: Connection, layout: Layout, patience: Patience) -> None:
        self._name, self._connection, self._layout = name, connection, layout
        self._jobs = JobRunner(connection, layout, patience)

    def __repr__(self) -> str:
        return f"SshHost({self._name} at {self._connection.where})"

    @property
    def host_key(self) -> str:
        """OpenSSH public key line that the host showed last; empty before the first contact."""
        return self._connection.host_key

    @property
    def bastion_key(self) -> str:
        """The same for the jump host on the way; empty where there is none."""
        return self._connection.bastion_key

    @property
    def commands(self) -> int:
        """How many SSH commands went to this host so far."""
        return self._connection.commands

    async def facts(self, query: FactsQuery) -> HostFacts:
        """Look, in one round trip; changes nothing on the host."""
        mark = nonce()
        output = await self._connection.execute(facts_script(self._layout, query, mark), within=FACTS_TIMEOUT, doing="gathering facts")
        if len(output.stdout) > FACTS_LIMIT:
            raise TransientError(
                f"gathering facts on host {self._name}: it answers with more than {FACTS_LIMIT >> 20} MiB", host=self._name
            )
        try:
            return parse_facts(output.stdout, mark, query, output.sent, output.started)
        except Exception as error:
            raise TransientError(
                f"gathering facts on host {self._name}: {type(error).__name__}: {str(error)[:200]} (exit code {output.rc})",
                host=self._name,
                exit_code=output.rc,
                output=output.stderr[-2000:],
            ) from error

    async def run(self, job: Job, attempt: int, fence: Fence, progress: Progress | None = None) -> JobResult:
        """Start this attempt of the job, or re-attach to it, and wait for its end."""
        return await self._jobs.run(Running(self._name, job, attempt, fence), progress)

    async def command(self, text: str, *, within: float, on_line: Callable[[str], None]) -> int:
        """Run a person's shell text as root and return its exit code. Lines of both streams come as they are printed.

        The text travels on standard input: no list of processes shows it. What it starts is left alone after `within` seconds.
        """

        def take(line: str) -> bool:
            on_line(self._connection.redact(plain(line.encode())))
            return True

        output = await self._connection.execute(COMMAND, text.encode(), within=within, doing="running a command", on_line=take)
        if output.stdout:
            take(output.stdout.decode(errors="backslashreplace"))
        return output.rc

    async def send(self, digest: str, source: Path, cluster_id: str, progress: Progress | None = None) -> int:
        """Put one content part into the store of a host of this cluster. Returns the bytes that travelled."""
        return await transfer.send(self._connection, self._layout, digest, source, cluster_id, progress)

    async def missing(self, digests: Sequence[str], tree: str = "") -> frozenset[str]:
        """Which of these digests the host lacks."""
        return await transfer.missing(self._connection, self._layout, digests, tree)
