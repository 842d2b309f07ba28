"""Ops that move content: parts, registry trees, container images."""

from __future__ import annotations

import gzip
import io
import tarfile
from functools import lru_cache

from sealcluster.core.ops import CommitRegistry, FetchParts, InstallRootfs, PrepareRegistry, PullImages
from sealcluster.testing.model.execution import Execution, Failed
from sealcluster.testing.model.machine import Machine
from sealcluster.testing.model.programs import MIRRORS
from sealcluster.testing.model.registry import Tree

KUBEADM_IMAGES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "etcd", "coredns", "pause")
WORKER_IMAGES = ("kube-proxy", "pause")


@lru_cache(maxsize=512)
def unpacked(content: bytes) -> tuple[tuple[str, bytes, int], ...]:
    """(path, content, mode) of every regular file in a packed part. Raises `Failed` for what is no part."""
    try:
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(content))) as archive:
            files = []
            for member in archive:
                stream = archive.extractfile(member) if member.isfile() else None
                if stream is not None:
                    files.append((member.name.removeprefix("./"), stream.read(), member.mode))
            return tuple(files)
    except (OSError, tarfile.TarError, EOFError) as error:
        raise Failed(1, f"tar: {error}") from error


def take(run: Execution, digests: tuple[str, ...]) -> list[bytes]:
    """The bytes of parts that must lie in the store."""
    run.machine.prove_store()
    lacking = [d for d in digests if d not in run.machine.store]
    if lacking:
        raise Failed(1, f"{lacking[0][:12]}: not in the store")
    return [run.world.content[d] for d in digests]


async def install_rootfs(run: Execution, op: InstallRootfs) -> None:
    """Unpack, drop what is no longer there, put the rendered files over it."""
    files = run.machine.files
    before = {p for p in files.below(op.root) if not p.startswith(f"{op.root}/registry/")}
    wanted: set[str] = set()
    contents = take(run, op.parts)
    for content in contents:
        await run.spend(0.8 / len(contents))
        for path, data, mode in unpacked(content):
            files.write(f"{op.root}/{path}", data, mode)
            wanted.add(f"{op.root}/{path}")
    for file in op.files:
        files.write(f"{op.root}/{file.path}", file.content, file.mode)
        wanted.add(f"{op.root}/{file.path}")
    for path in before - wanted:
        files.remove(path)
    await run.spend(0.2)
    if not op.keep_parts:
        for digest in op.parts:
            run.machine.store.pop(digest, None)


async def fetch_parts(run: Execution, op: FetchParts) -> None:
    """Download from the registry of another machine."""
    name, _, port = op.server.rpartition(":")
    run.machine.prove_store()
    for digest in op.digests:
        await run.spend(1.0 / max(len(op.digests), 1))
        if digest in run.machine.store:
            continue
        tree = _registry(run, name, int(port), op.username, op.password)
        if digest not in tree.repositories.get(op.repository, ()):
            raise Failed(1, f"GET /v2/{op.repository}/blobs/sha256:{digest[:12]}: 404 blob unknown")
        if run.machine.files.full:
            raise Failed(1, "wget: write error: No space left on device")
        run.machine.store[digest] = len(run.world.content[digest])


def _registry(run: Execution, name: str, port: int, username: str, password: str) -> Tree:
    network = run.world.network
    address = network.resolve(run.machine, name)
    server: Machine | None = network.target(run.machine, address) if address is not None else None
    if server is None or not server.units.active("registry") or port != server.registry.port:
        raise Failed(1, f"wget: can't connect to remote host ({name}:{port}): Connection refused")
    if not server.registry.admits(username, password):
        raise Failed(1, "wget: server returned error: HTTP/1.1 401 Unauthorized")
    return server.registry.served() or Tree()


async def commit_registry(run: Execution, op: CommitRegistry) -> None:
    """Move blobs into a tree, write links, offer parts."""
    run.machine.prove_store()
    registry, store = run.machine.registry, run.machine.store
    tree = registry.trees.setdefault(op.root, Tree())
    lacking = [d for d in (*op.blobs, *op.parts) if d not in store and d not in tree.blobs]
    if lacking:
        raise Failed(1, f"{lacking[0][:12]}: neither in the store nor in the registry")
    if run.machine.files.full and any(d not in tree.blobs for d in op.blobs):
        raise Failed(1, "mv: No space left on device")
    await run.spend(0.5)
    for digest in op.blobs:
        store.pop(digest, None)
        tree.blobs.add(digest)
    await run.spend(0.3)
    tree.links.update(op.links)
    if op.parts:
        tree.blobs.update(op.parts)
        tree.repositories.setdefault(op.parts_repository, set()).update(op.parts)
    await run.spend(0.2)


async def prepare_registry(run: Execution, op: PrepareRegistry) -> None:
    """Link the data directory, write the password file."""
    await run.spend(1.0)
    run.machine.registry.trees.setdefault(op.tree, Tree())
    run.machine.registry.tree = op.tree
    run.machine.registry.htpasswd = op.htpasswd
    run.machine.files.write(op.htpasswd_path, op.htpasswd.encode(), 0o600)


async def pull_images(run: Execution, op: PullImages) -> None:
    """Pull through containerd from the cluster's registry."""
    machine = run.machine
    if not machine.units.active("containerd"):
        raise Failed(1, "crictl: connect: no such file or directory: containerd.sock")
    names = KUBEADM_IMAGES if op.role == "master" else WORKER_IMAGES
    wanted = [f"{name}:{op.version}" for name in names]
    wanted += [image.partition("/")[2] if ":" in image.partition("/")[0] else image for image in op.images]
    for image in wanted:
        await run.spend(1.0 / len(wanted))
        if image not in machine.images:
            if not _mirror(run).has_image(image):
                raise Failed(1, f"crictl: failed to pull {image}: not found")
            machine.images.add(image)


def _mirror(run: Execution) -> Tree:
    mirrors = [p.removeprefix(f"{MIRRORS}/").partition("/")[0] for p in run.machine.files.below(MIRRORS)]
    if not mirrors:
        raise Failed(1, "crictl: no mirror is configured")
    name, _, port = mirrors[0].rpartition(":")
    network = run.world.network
    address = network.resolve(run.machine, name)
    server = network.target(run.machine, address) if address is not None else None
    if server is None or not server.units.active("registry") or int(port) != server.registry.port:
        raise Failed(1, f"crictl: dial tcp {name}:{port}: connect: connection refused")
    return server.registry.served() or Tree()
