"""The content store: verified, shared by processes, bounded."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import sealcluster
from sealcluster.core.images import ImageInfo, Part, RegistryTree
from sealcluster.images import records
from sealcluster.images.collector import make_room
from sealcluster.images.errors import DigestMismatch, StoreFull
from sealcluster.images.leases import Use
from sealcluster.images.partial import Partial
from sealcluster.images.store import ContentStore
from unit.images.builders import sha

MIB = 1 << 20


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ContentStore]:
    opened = ContentStore(tmp_path / "store")
    yield opened
    opened.lease.close()


@contextmanager
def another(store: ContentStore) -> Iterator[ContentStore]:
    """Another process over the same store; what it holds is free when it ends."""
    opened = ContentStore(store.root)
    yield opened
    opened.lease.close()


def put(store: ContentStore, content: bytes, *, age: float = 0) -> str:
    digest = sha(content)
    with another(store) as writer:
        writer.ingest(io.BytesIO(content), 0, len(content), digest, "test")
    used = 1_000_000_000 - age
    os.utime(store.path(digest), (used, used))
    return digest


def image(store: ContentStore, *digests: str, key: str, age: float = 0) -> str:
    parts = tuple(Part(digest, store.path(digest).stat().st_size) for digest in digests)
    info = ImageInfo("ref", "name", "sha256:" + key, "amd64", "rootfs", parts=parts[:1], registry=RegistryTree(parts[1:], (("p", "d"),)))
    with another(store) as writer:
        records.save(writer, key, info)
    used = 1_000_000_000 - age
    os.utime(store.images / f"{key}.json", (used, used))
    return key


def test_content_is_verified_when_it_comes_in(store: ContentStore) -> None:
    with pytest.raises(DigestMismatch):
        store.ingest(io.BytesIO(b"other"), 0, 5, sha(b"content"), "test")
    with pytest.raises(DigestMismatch):
        store.ingest(io.BytesIO(b"content"), 0, 9, sha(b"content"), "test")
    assert not list(store.blobs.iterdir())
    assert not list(store.scratch_files())
    digest = put(store, b"content")
    assert store.has(digest, 7)
    assert store.verify(digest)


def test_damaged_content_is_removed(store: ContentStore) -> None:
    digest = put(store, b"content")
    store.path(digest).write_bytes(b"conTent")
    assert not store.verify(digest)
    assert not store.has(digest)
    digest = put(store, b"content")
    store.path(digest).write_bytes(b"cont")
    assert not store.has(digest, 7)
    assert not store.path(digest).exists()


def test_the_least_recently_used_goes_first_loose_content_before_images(store: ContentStore) -> None:
    old_image = put(store, b"a" * MIB, age=9)
    image(store, old_image, key="old", age=9)
    loose = put(store, b"b" * MIB, age=1)
    new_image = put(store, b"c" * MIB, age=5)
    image(store, new_image, key="new", age=5)
    make_room(store, MIB, 4 * MIB)
    assert [store.path(digest).exists() for digest in (loose, old_image, new_image)] == [False, True, True]
    make_room(store, 2 * MIB, 4 * MIB)
    assert [store.path(digest).exists() for digest in (loose, old_image, new_image)] == [False, False, True]
    assert not (store.images / "old.json").exists()


def test_nothing_goes_while_there_is_room(store: ContentStore) -> None:
    digest = put(store, b"a" * MIB)
    assert make_room(store, MIB, 4 * MIB) == 0
    assert store.path(digest).exists()


def test_content_shared_by_images_stays_with_the_last(store: ContentStore) -> None:
    shared, own = put(store, b"s" * MIB, age=9), put(store, b"o" * MIB, age=9)
    image(store, own, shared, key="old", age=9)
    image(store, shared, key="new", age=1)
    make_room(store, 3 * MIB, 4 * MIB)
    assert not store.path(own).exists()
    assert store.path(shared).exists()


def test_what_is_held_stays_and_a_full_store_says_so(store: ContentStore) -> None:
    digest = put(store, b"a" * MIB)
    image(store, digest, key="held")
    with another(store) as holder:
        assert records.load(holder, "held") is not None
        for whoever in (holder, store):
            with pytest.raises(StoreFull, match="1 of 2 MiB are in use"):
                make_room(whoever, 2 * MIB, 2 * MIB)
    make_room(store, 2 * MIB, 2 * MIB)
    assert not store.path(digest).exists()


def test_what_several_use_stays_until_the_last_of_them_ends(store: ContentStore) -> None:
    digest = put(store, b"a" * MIB)
    first, second, late = Use([digest]), Use([digest]), Use([digest])
    store.lease.begin(first)
    store.lease.begin(second)
    store.lease.end(first)
    store.lease.end(first)
    with another(store) as collector:
        for whoever in (collector, store):
            with pytest.raises(StoreFull):
                make_room(whoever, 2 * MIB, 2 * MIB)
        store.lease.end(second)
        store.lease.end(late)
        store.lease.begin(late)  # its work was cancelled before it began
        make_room(collector, 2 * MIB, 2 * MIB)
    assert not store.path(digest).exists()


def test_the_end_of_a_use_does_not_let_go_what_is_held(store: ContentStore) -> None:
    digest = put(store, b"a" * MIB)
    use = Use([digest])
    store.lease.begin(use)
    assert store.has(digest)
    store.lease.end(use)
    with another(store) as collector, pytest.raises(StoreFull):
        make_room(collector, 2 * MIB, 2 * MIB)


_HOLDER = """
import os, sys
from pathlib import Path
from sealcluster.images.store import ContentStore

store = ContentStore(Path(sys.argv[1]))
store.has(sys.argv[2])
with store.scratch() as scratch:
    scratch.write_bytes(b"x" * 10)
    print("ready", flush=True)
    sys.stdin.read()
    os._exit(0)  # like a crash: nothing is tidied up
"""


def test_another_process_keeps_what_it_holds_until_it_ends(store: ContentStore) -> None:
    digest = put(store, b"a" * MIB)
    package = Path(sealcluster.__file__).parents[1]
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(store.root), digest],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(package)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    with pytest.raises(StoreFull):
        make_room(store, 2 * MIB, 2 * MIB)
    assert store.path(digest).exists()
    assert len(list(store.scratch_files())) == 1
    process.communicate(timeout=30)
    make_room(store, 2 * MIB, 2 * MIB)
    assert not store.path(digest).exists()
    assert not list(store.scratch_files())
    assert [path.name for path in (store.root / "leases").iterdir()] == [store.lease.name]


def test_a_partial_download_is_resumed_verified_and_written_by_one(store: ContentStore) -> None:
    content = os.urandom(3_000)
    first, second = (Partial(store, sha(content), 3_000, "r/x") for _ in range(2))
    assert first.open()
    assert not second.open()
    first.write(content[:1_000])
    first.close()
    assert second.open()
    assert second.offset == 1_000
    second.write(content[1_000:])
    second.finish("x")
    second.close()
    assert store.verify(sha(content))
    assert not list(store.partial.iterdir())


def test_of_two_who_pull_the_same_from_elsewhere_neither_waits(store: ContentStore) -> None:
    first, second = (Partial(store, sha(b"content"), 7, source) for source in ("r/x", "s/x"))
    for partial in (first, second):
        assert partial.open()
        partial.write(b"content")
    for partial in (second, first):
        partial.finish("x")
        partial.close()
    assert store.verify(sha(b"content"))
    assert not list(store.partial.iterdir())


def test_a_wrong_partial_download_leaves_nothing(store: ContentStore) -> None:
    partial = Partial(store, sha(b"right"), 5, "r/x")
    assert partial.open()
    partial.write(b"wrong")
    with pytest.raises(DigestMismatch):
        partial.finish("x")
    partial.close()
    assert not list(store.partial.iterdir())
    assert not list(store.blobs.iterdir())


def test_partial_files_go_when_room_is_needed_but_not_while_they_are_written(store: ContentStore) -> None:
    partial = Partial(store, "a" * 64, 4 * MIB, "r/x")
    assert partial.open()
    partial.write(b"x" * MIB)
    with pytest.raises(StoreFull):
        make_room(store, 2 * MIB, 2 * MIB)
    partial.close()
    assert make_room(store, 2 * MIB, 2 * MIB) == MIB


def test_records_come_back_only_with_all_their_content(store: ContentStore) -> None:
    digest, blob = put(store, b"part"), put(store, b"blob")
    image(store, digest, blob, key="k")
    info = records.load(store, "k")
    assert info is not None
    assert (info.parts, info.registry) == ((Part(digest, 4),), RegistryTree((Part(blob, 4),), (("p", "d"),)))
    store.path(blob).unlink()
    assert records.load(store, "k") is None
    (store.images / "k.json").write_text('{"half": ')
    assert records.load(store, "k") is None
    assert not (store.images / "k.json").exists()
