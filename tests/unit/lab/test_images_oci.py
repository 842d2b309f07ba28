"""The lab's image builder: the same inputs give the same bytes, and what it writes is what the formats say."""

import gzip
import hashlib
import json
import tarfile
import time
from pathlib import Path

import pytest

from sealab.oci import Blobs, Settings, image, write_archive, write_layout
from sealab.oci_layer import Entry, layer, tree
from sealab.oci_registry import write_registry


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


def _source(folder: Path) -> Path:
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "program").write_bytes(b"\x7fELF" * 1000)
    (folder / "sub" / "program").chmod(0o755)
    (folder / "text").write_text("words\n")
    (folder / "link").symlink_to("sub/program")
    return folder


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_the_same_files_give_the_same_layer(tmp_path: Path, blobs: Blobs, compression: str) -> None:
    first = layer(blobs, tree(_source(tmp_path / "a")), compression)
    time.sleep(0.01)  # other times, other inodes
    again = layer(Blobs(tmp_path / "other"), reversed(list(tree(_source(tmp_path / "b")))), compression)
    assert first == again


def test_a_layers_tar_is_sorted_and_belongs_to_nobody(tmp_path: Path, blobs: Blobs) -> None:
    packed = layer(blobs, [*tree(_source(tmp_path / "a"), "deep/er"), Entry("deep/x", content=b"x")], "gzip")
    with tarfile.open(blobs.path(packed.blob.digest)) as tar:
        members = tar.getmembers()
        names = [member.name for member in members]
        assert names == sorted(names)
        assert names == ["deep", "deep/er", "deep/er/link", "deep/er/sub", "deep/er/sub/program", "deep/er/text", "deep/x"]
        assert {(member.mtime, member.uid, member.gid, member.uname) for member in members} == {(0, 0, 0, "")}
        assert tar.getmember("deep/er/sub/program").mode == 0o755
        assert tar.getmember("deep/er/link").linkname == "sub/program"


def test_digests_are_those_of_the_bytes(tmp_path: Path, blobs: Blobs) -> None:
    packed = layer(blobs, tree(_source(tmp_path / "a")), "gzip")
    content = blobs.path(packed.blob.digest).read_bytes()
    assert packed.blob.digest == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert packed.blob.size == len(content)
    assert packed.diff_id == f"sha256:{hashlib.sha256(gzip.decompress(content)).hexdigest()}"
    assert packed.blob.media_type == "application/vnd.oci.image.layer.v1.tar+gzip"


def test_a_later_entry_of_the_same_name_wins(blobs: Blobs) -> None:
    packed = layer(blobs, [Entry("a", content=b"old"), Entry("a", content=b"new", mode=0o600)], "none")
    with tarfile.open(blobs.path(packed.blob.digest)) as tar:
        (member,) = tar.getmembers()
        content = tar.extractfile(member)
        assert content is not None
        assert (content.read(), member.mode) == (b"new", 0o600)


def test_layout_and_archive_hold_the_image(tmp_path: Path, blobs: Blobs) -> None:
    packed = layer(blobs, [Entry("file", content=b"1")], "none")
    built = image(blobs, [packed], Settings(cmd=("run",), env={"b": "2", "a": "1"}, labels={"k": "v"}))
    write_layout(blobs, {"name:v1": built}, tmp_path / "layout")
    index = json.loads((tmp_path / "layout" / "index.json").read_text())
    (entry,) = index["manifests"]
    assert entry["annotations"] == {"org.opencontainers.image.ref.name": "name:v1"}
    assert entry["digest"] == built.digest
    folder = Blobs(tmp_path / "layout" / "blobs" / "sha256")
    config = folder.read_json(folder.read_json(built.digest)["config"]["digest"])
    assert config["config"] == {"Cmd": ["run"], "Env": ["a=1", "b=2"], "Labels": {"k": "v"}}
    assert config["rootfs"]["diff_ids"] == [packed.diff_id]
    write_archive(tmp_path / "layout", tmp_path / "one.tar")
    write_archive(tmp_path / "layout", tmp_path / "two.tar")
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
    with tarfile.open(tmp_path / "one.tar") as tar:
        assert {"oci-layout", "index.json", f"blobs/sha256/{built.digest[7:]}"} <= set(tar.getnames())


def test_a_registrys_tree_holds_shared_blobs_once(tmp_path: Path, blobs: Blobs) -> None:
    shared = layer(blobs, [Entry("base", content=b"base")], "none")
    one = image(blobs, [shared], Settings(cmd=("one",)))
    two = image(blobs, [shared], Settings(cmd=("two",)))
    write_registry(blobs, [("a", "v1", one), ("b/c", "v2", two)], tmp_path / "registry")
    root = tmp_path / "registry" / "docker" / "registry" / "v2"
    stored = {path.parent.name for path in root.glob("blobs/sha256/*/*/data")}
    assert len(stored) == 5  # the layer, two configs, two manifests
    tag = root / "repositories" / "b" / "c" / "_manifests" / "tags" / "v2"
    assert (tag / "current" / "link").read_text() == two.digest
    assert (tag / "index" / "sha256" / two.digest[7:] / "link").read_text() == two.digest
    assert (root / "repositories/b/c/_manifests/revisions/sha256" / two.digest[7:] / "link").read_text() == two.digest
    assert (root / "repositories/a/_layers/sha256" / shared.blob.digest[7:] / "link").read_text() == shared.blob.digest
