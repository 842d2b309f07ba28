"""The machines of a finished cluster in a process of their own, and the ports through which an operator sees them.

One answer per machine, packed beforehand; what an operator pays is what it pays for reading the answer, not for SSH and not for TLS.
"""

import asyncio
import pickle
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sealcluster.core.facts import ClusterFacts, HostFacts
from sealcluster.core.ports import PKI, Endpoint, FactsQuery, HostTarget

LIMIT = 1 << 26


class Wire:
    """One connection; questions and answers in the same order."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._waiting: deque[asyncio.Future[bytes]] = deque()
        self._writer: asyncio.StreamWriter | None = None
        self._lock = asyncio.Lock()

    async def ask(self, question: Any) -> Any:
        """One question."""
        async with self._lock:
            if self._writer is None:
                reader, self._writer = await asyncio.open_unix_connection(self._path, limit=LIMIT)
                self._reading = asyncio.create_task(self._read(reader))
            future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            self._writer.write(_framed(pickle.dumps(question)))
        return pickle.loads(await future)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while True:
            answer = await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big"))
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(answer)


def _framed(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


class WireHosts:
    """`Hosts`."""

    def __init__(self, wire: Wire, keys: Mapping[str, str]) -> None:
        self._wire, self._keys = wire, keys

    def host(self, target: HostTarget) -> "WireHost":
        """A machine."""
        return WireHost(self._wire, target.name, self._keys[target.name])

    async def close(self) -> None:
        """Nothing."""


class WireHost:
    """`HostPort` of a machine on which nothing has to be changed: to change anything is an error of the benchmark."""

    bastion_key = ""

    def __init__(self, wire: Wire, name: str, key: str) -> None:
        self._wire, self._name, self.host_key = wire, name, key

    async def facts(self, query: FactsQuery) -> HostFacts:
        """One look."""
        found: HostFacts = await self._wire.ask((self._name, query.preflight))
        return found

    def __getattr__(self, verb: str) -> Any:
        raise AssertionError(f"{self._name}: {verb} on a finished cluster")


class WireWorkloads:
    """`Workloads`, which is its own `Workload`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def open(self, cluster: str, endpoints: Sequence[Endpoint], domain: str, pki: PKI) -> "WireWorkloads":
        """Itself."""
        return self

    async def facts(self) -> ClusterFacts:
        """Nodes."""
        found: ClusterFacts = await self._wire.ask("workload")
        return found


async def serve(kept: dict[str, Any], path: str) -> None:
    """Answer until killed."""
    answers = {**kept["hosts"], "workload": kept["workload"]}

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                question = pickle.loads(await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big")))
                writer.write(_framed(answers[question]))
        except asyncio.IncompleteReadError:
            writer.close()

    server = await asyncio.start_unix_server(talk, path)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(pickle.loads(Path(sys.argv[1]).read_bytes()), sys.argv[2]))
