"""The machines of a finished cluster in a process of their own, and the ports through which an operator sees them.

One answer per machine, packed beforehand; what an operator pays is what it pays for reading the answer, not for SSH and not for TLS.
"""

import asyncio
import pickle
import resource
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sealcluster.core.facts import ClusterFacts, HostFacts
from sealcluster.core.ports import PKI, Endpoint, FactsQuery, HostTarget

LIMIT = 1 << 26
IDLE = 30.0
"""Seconds without a question after which a connection is closed: shorter than the time between two looks at a machine, so that each look
pays for a connection."""
WAITING = 4096
"""Connections that may wait to be accepted."""
CONNECTIONS = "connections"
"""The question how many connections are open, which is none about a machine."""


class Wire:
    """One connection, made when it is needed and closed when it is idle; questions and answers in the same order."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._waiting: deque[asyncio.Future[bytes]] = deque()
        self._writer: asyncio.StreamWriter | None = None
        self._closing: asyncio.TimerHandle | None = None
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
            if self._closing is not None:
                self._closing.cancel()
            self._closing = asyncio.get_running_loop().call_later(IDLE, self._close)
        return pickle.loads(await future)

    def _close(self) -> None:
        if self._writer is not None and not self._waiting:
            self._reading.cancel()
            self._writer.close()
            self._writer = None

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while True:
            answer = await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big"))
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(answer)


def _framed(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


class WireHosts:
    """`Hosts` of one cluster: a connection for each machine."""

    def __init__(self, path: str, keys: Mapping[str, str]) -> None:
        self._wires = {name: Wire(path) for name in keys}
        self._keys = keys

    def host(self, target: HostTarget) -> "WireHost":
        """A machine."""
        return WireHost(self._wires[target.name], target.name, self._keys[target.name])

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


def many_files() -> None:
    """As many connections as there may be machines."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def open_connections(path: str) -> int:
    """How many the operator has open to its machines now."""
    return asyncio.run(Wire(path).ask(CONNECTIONS))


async def serve(kept: dict[str, Any], path: str) -> None:
    """Answer until killed."""
    many_files()
    answers = {**kept["hosts"], "workload": kept["workload"]}
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        try:
            while True:
                question = pickle.loads(await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big")))
                writer.write(_framed(pickle.dumps(connections - 1) if question == CONNECTIONS else answers[question]))
        except asyncio.IncompleteReadError:
            writer.close()
        finally:
            connections -= 1

    server = await asyncio.start_unix_server(talk, path, backlog=WAITING)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(pickle.loads(Path(sys.argv[1]).read_bytes()), sys.argv[2]))
