"""A network namespace with nothing but loopback, and doors in it to some addresses outside: python -m sealab.argocd_cage READY ADDRESS:PORT…

Argo CD's controller opens its metrics on every address there is; in here that is loopback. Whoever joins the namespace of this process's main
thread reaches each ADDRESS:PORT as if it stood on the host: a thread that stayed outside carries the bytes. The file READY appears when all doors are open.
"""

import asyncio
import contextlib
import ctypes
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_CHUNK = 1 << 16

Door = tuple[str, int]


def main(arguments: Sequence[str]) -> int:
    """Make the namespace, open the doors, carry bytes until killed."""
    ready, *addresses = arguments
    outside = os.open("/proc/self/ns/net", os.O_RDONLY)
    _enter("unshare", _CLONE_NEWNET)
    _ip("link", "set", "lo", "up")
    doors = [_open(address) for address in addresses]
    carrier = threading.Thread(target=_carry, args=(outside, doors))
    carrier.start()
    Path(ready).touch()
    carrier.join()
    return 1  # it ends by being killed


def _open(address: str) -> tuple[socket.socket, Door]:
    """A listener at the address inside; one that is not loopback's own is put on loopback."""
    host, _, port = address.rpartition(":")
    if not host.startswith("127."):
        _ip("address", "replace", f"{host}/32", "dev", "lo")
    return socket.create_server((host, int(port))), (host, int(port))


def _carry(outside: int, doors: Sequence[tuple[socket.socket, Door]]) -> None:
    """Accepts inside, because there the listeners were made, and connects outside, because there this thread is."""
    _enter("setns", outside, _CLONE_NEWNET)
    asyncio.run(_serve(doors))


async def _serve(doors: Sequence[tuple[socket.socket, Door]]) -> None:
    servers = [await asyncio.start_server(_through(door), sock=listener) for listener, door in doors]
    await asyncio.gather(*(server.serve_forever() for server in servers))


def _through(door: Door):
    async def through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):  # a side that breaks off, or nobody there: both sides see the connection end
            try:
                answers, asks = await asyncio.open_connection(*door)
                try:
                    await asyncio.gather(_pump(reader, asks), _pump(answers, writer))
                finally:
                    asks.close()
            finally:
                writer.close()

    return through


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(_CHUNK):
        target.write(data)
        await target.drain()
    target.write_eof()


def _enter(call: str, *numbers: int) -> None:
    """unshare(2) or setns(2), of this thread alone."""
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, call)(*numbers) != 0:
        raise OSError(ctypes.get_errno(), f"{call} of the network namespace")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
