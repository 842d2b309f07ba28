"""Pulls manifests and blobs from registries: resumed where they broke, verified while they arrive."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from datetime import timedelta
from typing import TypeVar, TypeVarTuple

import aiohttp
import stamina

from sealcluster.images.digest import hex_of
from sealcluster.images.errors import DigestMismatch, RegistryUnavailable
from sealcluster.images.manifest import INDEX_TYPES, MANIFEST_TYPES, Descriptor, load_json
from sealcluster.images.partial import Partial
from sealcluster.images.reference import RegistryReference
from sealcluster.images.settings import ImageSettings
from sealcluster.images.store import ContentStore
from sealcluster.images.transport import Login, Transport, read_capped

_BATCH = 1 << 20
_PROGRESS = 1 << 20  # bytes by which an attempt must get further to be more than a failure
_POLL = 0.2
_MAX_ROUNDS = 200
_MAX_DELAY = 60.0
T = TypeVar("T")
Ts = TypeVarTuple("Ts")

Counted = Callable[[int], None]
"""Called with the number of bytes that just arrived."""


class RegistryClient:
    """Pulls into one store."""

    def __init__(self, settings: ImageSettings, store: ContentStore, threads: Executor) -> None:
        self._settings = settings
        self._store = store
        self._threads = threads
        self._transport = Transport(settings)

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.close()

    def _retries(self) -> AsyncIterator[stamina.Attempt]:
        def again(error: Exception) -> bool | timedelta:
            if not isinstance(error, RegistryUnavailable):
                return False
            return True if error.delay is None else timedelta(seconds=min(error.delay, _MAX_DELAY))

        settings = self._settings
        return stamina.retry_context(
            on=again,
            attempts=settings.attempts,
            timeout=None,
            wait_initial=settings.first_wait,
            wait_max=settings.max_wait,
            wait_jitter=settings.first_wait,
        )

    async def manifest(self, ref: RegistryReference, wanted: str, credentials: tuple[str, str] | None) -> tuple[str, bytes]:
        """Return digest (hex) and bytes of a manifest or index by tag or digest (`sha256:…`)."""
        what = str(ref)
        url = self._transport.url(ref.host, f"{ref.repository}/manifests/{wanted}")
        headers = {"Accept": ", ".join((*MANIFEST_TYPES, *INDEX_TYPES))}
        login = Login(ref.host, ref.repository, credentials)
        data, said = b"", ""
        async for attempt in self._retries():
            with attempt:
                async with self._transport.request("GET", url, login, headers, what) as response:
                    said = response.headers.get("Docker-Content-Digest", "")
                    data = await read_capped(response, self._settings.limits.manifest, what)
        digest = hashlib.sha256(data).hexdigest()
        expected = wanted if wanted.startswith("sha256:") else said
        if expected and hex_of(expected) != digest:
            raise DigestMismatch(f"pulling {what}: the manifest has sha256:{digest}, not {expected}")
        load_json(data, f"the manifest of {what}")
        return digest, data

    async def blob(self, ref: RegistryReference, blob: Descriptor, credentials: tuple[str, str] | None, counted: Counted) -> None:
        """Bring a blob, which a `Use` of the caller keeps, into the store unless it is there.

        Attempts count anew whenever one of them got further. Who pulls the same from the same repository waits for it; where else it comes
        from does not matter here: another registry may be slow on purpose.
        """
        what = f"{ref} (blob {blob.digest[:12]})"
        partial = Partial(self._store, blob.digest, blob.size, f"{ref.host}/{ref.repository}")
        while not await self._run(self._store.here, blob.digest, blob.size):
            if not await self._run(partial.open):
                await asyncio.sleep(_POLL)  # another task or process pulls it
                continue
            try:
                if await self._run(self._store.here, blob.digest, blob.size):
                    continue  # finished by somebody else just now
                counted(partial.offset)
                await self._pull(ref, partial, credentials, counted, what)
            finally:
                await self._run(partial.close)
            return
        counted(blob.size)

    async def _pull(
        self, ref: RegistryReference, partial: Partial, credentials: tuple[str, str] | None, counted: Counted, what: str
    ) -> None:
        for _ in range(_MAX_ROUNDS):
            done = False
            async for attempt in self._retries():
                with attempt:
                    done = await self._attempt(ref, partial, credentials, counted, what)
            if done:
                return
        raise RegistryUnavailable(f"pulling {what}: broken off {_MAX_ROUNDS} times")

    async def _attempt(
        self, ref: RegistryReference, partial: Partial, credentials: tuple[str, str] | None, counted: Counted, what: str
    ) -> bool:
        """Pull what is lacking; False when the connection broke but something arrived."""
        began = partial.offset
        login = Login(ref.host, ref.repository, credentials)
        url = self._transport.url(ref.host, f"{ref.repository}/blobs/sha256:{partial.digest}")
        headers = {"Range": f"bytes={began}-"} if began else {}
        try:
            if began < partial.size or not partial.size:
                async with self._transport.request("GET", url, login, headers, what) as response:
                    await self._receive(response, partial, counted, what)
            if partial.offset < partial.size:
                raise RegistryUnavailable(f"pulling {what}: {ref.host} sent {partial.offset} of {partial.size} bytes")
            await self._run(partial.finish, what)
        except DigestMismatch:
            counted(-partial.offset)
            await self._run(partial.restart)
            if not began:
                raise
            # What an earlier process left may be damaged: only a download in one piece accuses the registry.
            raise RegistryUnavailable(f"pulling {what}: the resumed download is damaged, starting over") from None
        except RegistryUnavailable:
            if partial.offset - began < _PROGRESS:
                raise
            return False
        return True

    async def _receive(self, response: aiohttp.ClientResponse, partial: Partial, counted: Counted, what: str) -> None:
        resumed = response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {partial.offset}-")
        if partial.offset and not resumed:
            counted(-partial.offset)
            await self._run(partial.restart)
            if response.status != 200:
                raise RegistryUnavailable(f"pulling {what}: the registry cannot resume, starting over")
        left = partial.size - partial.offset
        if response.content_length is not None and response.content_length != left:
            raise DigestMismatch(f"pulling {what}: the registry announces {response.content_length} bytes, the manifest {left}")
        async with asyncio.timeout(60 + left / self._settings.min_rate):
            pending = bytearray()
            try:
                async for chunk in response.content.iter_any():
                    left -= len(chunk)
                    if left < 0:
                        raise DigestMismatch(f"pulling {what}: the registry sends more than the {partial.size} bytes of the manifest")
                    pending += chunk
                    if len(pending) >= _BATCH:
                        await self._write(partial, pending, counted)
            finally:
                await self._write(partial, pending, counted)  # also when the connection breaks

    async def _write(self, partial: Partial, pending: bytearray, counted: Counted) -> None:
        data = bytes(pending)
        pending.clear()
        await self._run(partial.write, data)
        counted(len(data))

    async def _run(self, function: Callable[[*Ts], T], *args: *Ts) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *args)
