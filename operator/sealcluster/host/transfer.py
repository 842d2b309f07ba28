"""Bytes to a host's store: one part at a time, resumed where an earlier try ended, verified there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from sealcluster.core.errors import TransientError
from sealcluster.core.ports import Progress
from sealcluster.host.framing import text
from sealcluster.host.layout import Layout
from sealcluster.host.numbers import number
from sealcluster.host.records import is_digest
from sealcluster.host.refusals import of_another_cluster, of_nobody
from sealcluster.host.scripts import Value, assemble, nonce
from sealcluster.ssh.channel import Channel
from sealcluster.ssh.connection import INPUT_BLOCK, Connection
from sealcluster.ssh.plain import plain

READ = 16 * INPUT_BLOCK
"""Read from the local file at once, in a thread."""

SLOWEST = 256 << 10
"""Bytes per second; a slower link counts as broken."""


async def send(connection: Connection, layout: Layout, digest: str, source: Path, cluster_id: str, progress: Progress | None = None) -> int:
    """See `core.ports.HostPort.send`."""
    _check([digest])
    size = (await asyncio.to_thread(source.stat)).st_size
    host, doing = connection.name, f"sending part {digest[:12]}"
    values: dict[str, Value] = {"R": layout.prefix, "N": nonce(), "cluster": cluster_id, "digest": digest, "size": size}
    script = assemble(values, "base", "journal", "store", "send")
    async with connection.open(script, within=120 + size / SLOWEST, doing=doing) as channel:
        verb, *words = (await _answer(connection, channel, doing)).split(" ")
        if verb == "have":
            return 0
        if verb == "other":
            raise of_another_cluster(doing, host, " as ".join(words))
        if verb == "free":
            raise of_nobody(doing, host)
        if verb == "busy":
            raise TransientError(f"{doing} to host {host}: another transfer of it is under way", host=host)
        offset = number(words[0]) if words else None
        if offset is None or offset > size:
            raise TransientError(f"{doing} to host {host}: it answers {verb[:40]!a}", host=host)
        await _pour(channel, source, offset, size, f"sending {digest[:12]}", progress)
        verb, *words = (await _answer(connection, channel, doing)).split(" ")
    if verb == "stored":
        return size - offset
    if verb == "short" and words:
        raise TransientError(
            f"{doing} to host {host}: {words[0]} of {size} bytes could be stored: {' '.join(words[1:])}",
            reason="DiskFull",
            host=host,
            hint="free some space below /var/lib on the host",
        )
    raise TransientError(f"{doing} to host {host}: what arrived is not what was sent; it was thrown away", host=host)


async def missing(connection: Connection, layout: Layout, digests: Sequence[str], tree: str) -> frozenset[str]:
    """See `core.ports.HostPort.missing`."""
    _check(digests)
    if not digests:
        return frozenset()
    output = await connection.execute(
        assemble({"R": layout.prefix, "N": nonce(), "tree": tree}, "base", "store", "missing"),
        "".join(f"{digest}\n" for digest in digests).encode(),
        within=60,
        doing="looking for parts",
    )
    if output.rc:
        raise TransientError(
            f"looking for parts on host {connection.name}: exit code {output.rc}: {output.stderr[-500:]}", host=connection.name
        )
    return frozenset(digests) & frozenset(text(output.stdout).split())


def _check(digests: Sequence[str]) -> None:
    for digest in digests:
        if not is_digest(digest):
            raise ValueError(f"naming a content part: {digest!r} is not a sha256 in hexadecimal")


async def _answer(connection: Connection, channel: Channel, doing: str) -> str:
    line = await channel.line()
    if line is not None:
        return plain(line)
    connection.require_started(channel, doing)
    said = connection.said(channel)[-500:].strip()
    raise TransientError(f"{doing} on host {connection.name}: {said or 'connection lost'}", reason="HostUnreachable", host=connection.name)


async def _pour(channel: Channel, source: Path, offset: int, size: int, what: str, progress: Progress | None) -> None:
    tenth = -1
    with await asyncio.to_thread(source.open, "rb") as file:
        file.seek(offset)
        while block := await asyncio.to_thread(file.read, READ):
            view = memoryview(block)
            for at in range(0, len(block), INPUT_BLOCK):
                await channel.write(bytes(view[at : at + INPUT_BLOCK]))
            offset += len(block)
            if progress is not None and size > 8 * READ and (now := offset * 10 // size) != tenth:
                tenth = now
                progress(f"{what}: {offset >> 20} of {size >> 20} MiB")
    channel.end_input()
