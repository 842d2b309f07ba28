"""`Images` of the engine's ports: resolves references into parts, and hands out their files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar, TypeVarTuple
from weakref import WeakValueDictionary

from sealcluster.core.errors import TransientError
from sealcluster.core.images import ImageInfo
from sealcluster.core.ports import Progress, PullAuth
from sealcluster.images import clusterimage, records
from sealcluster.images.archive import Archive, ArchivedImage, locate, plain
from sealcluster.images.collector import make_room
from sealcluster.images.credentials import credentials_for
from sealcluster.images.errors import ImageCorrupt, InvalidReference, RegistryUnavailable
from sealcluster.images.layers import Span, open_layer
from sealcluster.images.leases import Use
from sealcluster.images.manifest import Descriptor, ImageConfig, check_platform, choose, is_index, load_json, parse_config, parse_manifest
from sealcluster.images.parts import Cutter
from sealcluster.images.progress import Meter
from sealcluster.images.reference import ArchiveReference, RegistryReference, parse_reference
from sealcluster.images.registry import RegistryClient
from sealcluster.images.settings import ImageSettings
from sealcluster.images.store import ContentStore
from sealcluster.images.unpack import Layer, unpack

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
_THREADS = 4
_INDEX_DEPTH = 3
_PARALLEL_BLOBS = 3


@dataclass(frozen=True, slots=True)
class _Request:
    """What an image was asked for, to pull it again when its content was lost."""

    name: str
    ref: str
    arch: str
    auth: PullAuth


@dataclass(frozen=True, slots=True)
class _Found:
    """An image whose configuration is known and whose layers are not here yet."""

    digest: str
    config: ImageConfig
    layers: tuple[Descriptor, ...]


class ImageService:
    """Resolves images; safe to use from many tasks, and from several processes over one store."""

    def __init__(self, settings: ImageSettings) -> None:
        self._settings = settings
        self._store = ContentStore(settings.store)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="images")
        self._registry = RegistryClient(settings, self._store, self._threads)
        self._cutting = asyncio.Semaphore(1)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._origins: dict[str, _Request] = {}
        self._verified: set[str] = set()
        self._archives: dict[tuple[object, ...], str] = {}
        """Which image a file that has not changed since holds."""

    async def close(self) -> None:
        """Close connections, end threads, give the store's content free for collection."""
        await self._registry.close()
        await asyncio.to_thread(self._threads.shutdown)
        self._store.lease.close()

    async def resolve(self, name: str, ref: str, arch: str, auth: PullAuth, progress: Progress | None = None) -> ImageInfo:
        """Return the image, after pulling, verifying and cutting what is not in the store yet.

        A registry is asked for the manifest each time, with the credentials given: what somebody else was
        allowed to pull is no reason to let this one have it. Only while it does not answer, what the same
        reference meant to the same credentials before is good enough.
        """
        reference = parse_reference(ref)
        meter = Meter(progress, name, asyncio.get_running_loop())
        if isinstance(reference, ArchiveReference):
            info = await self._from_archive(name, reference, arch, meter)
        else:
            info = await self._from_registry_or_memory(name, reference, arch, auth, meter)
        info = clusterimage.personal(info, name, ref)
        for part in records.needs(info):
            self._origins[part.digest] = _Request(name, ref, arch, auth)
        return info

    async def open_part(self, digest: str) -> Path:
        """Return the file of a part or registry blob, verified once by this process; lost content is pulled again."""
        if digest not in self._verified:
            if not await self._run(self._store.verify, digest):
                request = self._origins.get(digest)
                if request is None:
                    raise TransientError(f"opening content {digest[:12]}: it is not in the image store", reason="ImagePullFailed")
                await self.resolve(request.name, request.ref, request.arch, request.auth)
                if not await self._run(self._store.verify, digest):
                    raise TransientError(f"opening content {digest[:12]}: it is gone again from the image store", reason="ImagePullFailed")
            self._verified.add(digest)
        return self._store.path(digest)

    async def _run(self, function: Callable[[*Ts], T], *args: *Ts) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *args)

    def _lock(self, key: str) -> asyncio.Lock:
        return self._locks.setdefault(key, asyncio.Lock())

    async def _from_registry_or_memory(self, name: str, ref: RegistryReference, arch: str, auth: PullAuth, meter: Meter) -> ImageInfo:
        credentials = credentials_for(auth.auths, ref)
        key = await self._run(records.resolution_key, self._store, str(ref), arch, credentials)
        try:
            info = await self._from_registry(name, ref, arch, credentials, meter)
        except RegistryUnavailable:
            known = await self._run(records.recall, self._store, key)
            if known is None:
                raise
            return known
        await self._run(records.remember, self._store, key, info.digest.removeprefix("sha256:"))
        return info

    async def _from_registry(
        self, name: str, ref: RegistryReference, arch: str, credentials: tuple[str, str] | None, meter: Meter
    ) -> ImageInfo:
        digest, document = await self._manifest(ref, arch, credentials)
        async with self._lock(f"{digest} from {ref.host}/{ref.repository}"):  # nobody waits for a registry that he did not name
            known = await self._run(records.load, self._store, records.key_of(digest))
            if known is not None and known.arch == arch:
                return known
            manifest = parse_manifest(document, self._settings.limits, str(ref))
            await self._run(make_room, self._store, _room(manifest.layers), self._settings.store_limit)
            async with self._using([manifest.config, *manifest.layers]):
                await self._registry.blob(ref, manifest.config, credentials, lambda _: None)
                text = await self._run(self._store.path(manifest.config.digest).read_bytes)
                config = parse_config(load_json(text, f"the configuration of {ref}"), str(ref))
                check_platform(config, arch, str(ref))
                if known is not None:
                    return replace(known, arch=arch)  # an image that does not say for which architecture it is
                described = clusterimage.describe(name, str(ref), digest, arch, config)
                meter.expect(sum(layer.size for layer in manifest.layers))
                await self._pull_layers(ref, manifest.layers, credentials, meter)
                spans = [(Span(self._store.path(layer.digest), 0, layer.size), None) for layer in manifest.layers]
                async with self._lock(digest), self._cutting:
                    return await self._known_or_cut(described, config, spans, meter)

    @asynccontextmanager
    async def _using(self, blobs: Sequence[Descriptor]) -> AsyncIterator[None]:
        """Keep the blobs from being collected, whoever else pulls and drops the same meanwhile."""
        use = Use(blob.digest for blob in blobs)
        try:
            await self._run(self._store.lease.begin, use)
            yield
        finally:
            await self._run(self._store.lease.end, use)

    async def _known_or_cut(self, described: ImageInfo, config: ImageConfig, spans: Sequence[tuple[Span, None]], meter: Meter) -> ImageInfo:
        """Cut it, unless somebody who had it from elsewhere was first."""
        key = records.key_of(described.digest.removeprefix("sha256:"))
        known = await self._run(records.load, self._store, key)
        if known is not None:
            return replace(known, arch=described.arch)
        return await self._run(self._cut, described, config, spans, meter)

    async def _manifest(self, ref: RegistryReference, arch: str, credentials: tuple[str, str] | None) -> tuple[str, dict[str, object]]:
        wanted = ref.wanted
        for _ in range(_INDEX_DEPTH):
            digest, data = await self._registry.manifest(ref, wanted, credentials)
            document = load_json(data, f"the manifest of {ref}")
            if not is_index(document):
                return digest, document
            wanted = f"sha256:{choose(document, arch, str(ref)).digest}"
        raise ImageCorrupt(f"pulling {ref}: indexes nested more than {_INDEX_DEPTH} deep")

    async def _pull_layers(
        self, ref: RegistryReference, layers: Sequence[Descriptor], credentials: tuple[str, str] | None, meter: Meter
    ) -> None:
        slots = asyncio.Semaphore(_PARALLEL_BLOBS)

        async def pull(layer: Descriptor) -> None:
            async with slots:
                await self._registry.blob(ref, layer, credentials, meter.add)

        try:
            async with asyncio.TaskGroup() as group:
                for layer in {layer.digest: layer for layer in layers}.values():
                    group.create_task(pull(layer))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def _from_archive(self, name: str, reference: ArchiveReference, arch: str, meter: Meter) -> ImageInfo:
        if not self._settings.allow_archives:
            raise InvalidReference(f"opening {reference}: image files are not allowed here", hint="use an image in a registry")
        path = await self._run(locate, reference, self._settings.archive_directory)
        stat = await self._run(path.stat)
        seen = (str(reference), arch, stat.st_ino, stat.st_mtime_ns, stat.st_size)
        async with self._lock(str(path)), self._cutting:
            if seen in self._archives:
                known = await self._run(records.load, self._store, self._archives[seen])
                if known is not None:
                    return known
            info = await self._run(self._import, name, reference, path, arch, meter)
        self._archives[seen] = records.key_of(info.digest.removeprefix("sha256:"))
        return info

    def _import(self, name: str, reference: ArchiveReference, path: Path, arch: str, meter: Meter) -> ImageInfo:
        limits, what = self._settings.limits, str(reference)
        meter.say("reading the archive")
        with plain(path, self._store, limits, what) as file:
            image: ArchivedImage = Archive(file, what, limits).image(reference.kind, arch, reference.image)
            known = records.load(self._store, records.key_of(image.digest))
            if known is not None:
                return known
            described = clusterimage.describe(name, what, image.digest, arch, image.config)
            make_room(self._store, _room([Descriptor("", span.size) for span, _ in image.layers]), self._settings.store_limit)
            return self._cut(described, image.config, image.layers, meter)

    def _cut(self, described: ImageInfo, config: ImageConfig, spans: Sequence[tuple[Span, str | None]], meter: Meter) -> ImageInfo:
        limits, what = self._settings.limits, described.ref
        if len(spans) != len(config.diff_ids):
            raise ImageCorrupt(f"reading {what}: {len(spans)} layers but {len(config.diff_ids)} diff ids")
        layers: list[Layer] = []
        left = limits.unpacked
        with ExitStack() as stack:
            for number, (span, digest) in enumerate(spans):
                meter.say(f"unpacking layer {number + 1} of {len(spans)}")
                scratch = stack.enter_context(self._store.scratch())
                layer = open_layer(span, digest, config.diff_ids[number], scratch, limits, left, f"layer {number + 1} of {what}")
                left -= layer.size
                layers.append(layer)
            tree = unpack(layers, limits, what)
            content = Cutter(tree, layers, self._store, limits, what).cut(meter.say)
        info = replace(
            described,
            parts=content.parts,
            templates=content.templates,
            modes=content.modes,
            small_files=content.small_files,
            opaque=content.opaque,
            registry=content.registry,
        )
        info = clusterimage.complete(info, content.scripts, content.config)
        records.save(self._store, records.key_of(described.digest.removeprefix("sha256:")), info)
        return info


def _room(layers: Sequence[Descriptor]) -> int:
    """Bytes that an image will need for a while: its layers, unpacked, and cut; gzip halves what cluster images hold."""
    return sum(layer.size for layer in layers) * 5
