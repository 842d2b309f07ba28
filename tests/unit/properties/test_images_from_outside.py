"""Manifests, indexes, configurations and archives with any part replaced: an image, or an error of `images.errors`."""

import gzip
import hashlib
import io
import json
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealcluster.core.errors import SealError, TerminalError
from sealcluster.images.archive import Archive, locate
from sealcluster.images.clusterimage import complete, describe
from sealcluster.images.limits import Limits
from sealcluster.images.manifest import check_platform, choose, is_index, load_json, parse_config, parse_manifest
from sealcluster.images.reference import ArchiveReference
from sealcluster.render.configs import ConfigChange, ConfigError
from unit.properties.strategies import as_json, deep, junk, mutated, quick

LIMITS = Limits(manifest=4096)
HEX = "0" * 64
LAYER = b"layer"
CONFIG = {
    "os": "linux",
    "architecture": "amd64",
    "rootfs": {"diff_ids": ["sha256:" + HEX]},
    "config": {"Env": ["A=b"], "Labels": {"sealos.io.type": "application"}, "Entrypoint": ["/bin/sh", "-c"], "Cmd": ["true"]},
}
MANIFEST = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "config": {"digest": "sha256:" + HEX, "size": 2, "mediaType": "application/vnd.oci.image.config.v1+json"},
    "layers": [{"digest": "sha256:" + HEX, "size": 5, "mediaType": "application/vnd.oci.image.layer.v1.tar"}],
}
INDEX = {"schemaVersion": 2, "manifests": [{"digest": "sha256:" + HEX, "size": 2, "platform": {"os": "linux", "architecture": "amd64"}}]}


def refused(error):
    assert error.reason in {"ImageCorrupt", "UnsupportedImage", "ArchMismatch", "ImageNotFound"}


@quick
@given(mutated(MANIFEST))
def test_a_manifest(document):
    try:
        found = parse_manifest(load_json(as_json(document), "x"), LIMITS, "x")
    except TerminalError as error:
        refused(error)
    else:
        assert all(layer.size >= 0 for layer in found.layers)


@quick
@given(mutated(INDEX))
def test_an_index(document):
    try:
        data = load_json(as_json(document), "x")
        if is_index(data):
            choose(data, "amd64", "x")
    except TerminalError as error:
        refused(error)


@quick
@given(mutated(CONFIG))
def test_a_configuration(document):
    try:
        config = parse_config(load_json(as_json(document), "x"), "x")
        check_platform(config, "amd64", "x")
        info = complete(describe("n", "r", HEX, "amd64", config), ["scripts/init.sh"], "")
    except TerminalError as error:
        refused(error)
    else:
        json.dumps([info.env, info.labels, info.commands], ensure_ascii=False).encode()


@quick
@given(junk | deep.map(str.encode))
def test_what_is_no_json(data):
    with pytest.raises(TerminalError):
        load_json(b"\x00" + data, "x")
    try:
        load_json(data, "x")
    except TerminalError as error:
        refused(error)


@quick
@given(st.text(max_size=60) | st.sampled_from(["kind: Config\nspec: {path: a}", "&a [*a]", "a: &a [*a]", "!!python/object:os.system x"]))
def test_config_documents_of_an_image(text):
    try:
        complete(describe("n", "r", HEX, "amd64", parse_config(CONFIG, "x")), [], text)
    except TerminalError as error:
        refused(error)


def test_half_a_character_in_a_config_document_is_refused():
    with pytest.raises(ConfigError, match="half a character"):
        ConfigChange.from_document({"kind": "Config", "spec": {"path": "etc/a", "data": "\ud800"}})


@pytest.mark.parametrize("place", ["Env", "Cmd", "Entrypoint"])
def test_half_a_character_is_no_text(place):
    with pytest.raises(TerminalError, match="no valid JSON"):
        load_json(as_json({**CONFIG, "config": {place: ["A=\ud800"]}}), "x")
    assert load_json(as_json({"a": "\U0001f600"}), "x") == {"a": "\U0001f600"}


# --- archives ------------------------------------------------------------------------------------------------------------------
def archive(path, members, links=()):
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for name, target, kind in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            tar.addfile(info)
    return path


def oci(index, manifest, config):
    """Members of an archive whose blobs have the digests that are asked for, whatever is in them."""
    blobs, names = {}, {}
    for name, document in (("config", config), ("manifest", manifest)):
        data = as_json(document)
        names[name] = hashlib.sha256(data).hexdigest()
        blobs[f"blobs/sha256/{names[name]}"] = data
    blobs[f"blobs/sha256/{hashlib.sha256(LAYER).hexdigest()}"] = LAYER
    return blobs | {"index.json": as_json(index)}, names


def whole():
    layer = {"digest": "sha256:" + hashlib.sha256(LAYER).hexdigest(), "size": len(LAYER), "mediaType": MANIFEST["layers"][0]["mediaType"]}
    config = as_json(CONFIG)
    manifest = MANIFEST | {"layers": [layer], "config": {"digest": "sha256:" + hashlib.sha256(config).hexdigest(), "size": len(config)}}
    data = as_json(manifest)
    return manifest, {"manifests": [{"digest": "sha256:" + hashlib.sha256(data).hexdigest(), "size": len(data)}]}


@quick
@given(st.sampled_from(["index", "manifest", "config", "docker"]), st.data())
def test_an_archive(tmp_path_factory, part, data):
    manifest, index = whole()
    docker = [{"Config": "config.json", "RepoTags": ["a:b"], "Layers": ["layer.tar"]}]
    documents = {"index": index, "manifest": manifest, "config": CONFIG, "docker": docker}
    documents[part] = data.draw(mutated(documents[part]))
    members, names = oci(documents["index"], documents["manifest"], documents["config"])
    if part == "manifest":
        members["index.json"] = as_json({"manifests": [{"digest": "sha256:" + names["manifest"], "size": 1}]})
    members |= {"manifest.json": as_json(documents["docker"]), "config.json": as_json(CONFIG), "layer.tar": LAYER}
    opened = Archive(archive(tmp_path_factory.getbasetemp() / "a.tar", members), "x", LIMITS)
    for kind in ("oci-archive", "docker-archive"):
        for name in ("", "a:b"):
            try:
                opened.image(kind, "amd64", name)
            except SealError as error:
                refused(error)


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("index.json", {"manifests": 5}),
        ("index.json", {"manifests": "text"}),
        ("index.json", {"manifests": {"a": 1}}),
        ("index.json", {"manifests": [{"digest": 5, "annotations": 7, "platform": 3}]}),
        ("manifest.json", [{"RepoTags": 5, "Config": [], "Layers": 3}]),
        ("manifest.json", [{"RepoTags": "a:b", "Config": "x", "Layers": [{}]}]),
        ("manifest.json", {"RepoTags": 5}),
    ],
)
def test_archives_of_nonsense(tmp_path, name, document):
    opened = Archive(archive(tmp_path / "a", {name: as_json(document)}), "x", LIMITS)
    kind = "oci-archive" if name == "index.json" else "docker-archive"
    for image in ("", "a:b"):
        with pytest.raises(TerminalError) as caught:
            opened.image(kind, "amd64", image)
        refused(caught.value)


def test_indexes_that_name_each_other_end(tmp_path):
    members, digest = {}, "sha256:" + hashlib.sha256(as_json(MANIFEST)).hexdigest()
    for _ in range(20):
        data = as_json({"manifests": [{"digest": digest, "size": 2, "platform": {"os": "linux", "architecture": "amd64"}}]})
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        members[f"blobs/sha256/{digest[7:]}"] = data
    members["index.json"] = as_json({"manifests": [{"digest": digest, "size": 2}]})
    with pytest.raises(TerminalError, match="nested more than"):
        Archive(archive(tmp_path / "a", members), "x", LIMITS).image("oci-archive", "amd64", "")


def test_links_in_an_archive_lead_nowhere_but_to_its_own_members(tmp_path):
    links = [
        ("index.json", "/etc/passwd", tarfile.SYMTYPE),
        ("manifest.json", "../../../../etc/passwd", tarfile.LNKTYPE),
        ("a", "b", tarfile.SYMTYPE),
        ("b", "a", tarfile.SYMTYPE),
    ]
    opened = Archive(archive(tmp_path / "a", {}, links), "x", LIMITS)
    for kind in ("oci-archive", "docker-archive"):
        with pytest.raises(TerminalError, match="missing"):
            opened.image(kind, "amd64", "")
    with pytest.raises(TerminalError, match="missing"):
        opened._span("a")


def test_of_two_members_with_one_name_the_last_counts_and_its_digest_is_checked(tmp_path):
    manifest, index = whole()
    members, names = oci(index, manifest, CONFIG)
    path = archive(tmp_path / "a", members)
    with tarfile.open(path, "a") as tar:
        info = tarfile.TarInfo(f"blobs/sha256/{names['manifest']}")
        info.size = 2
        tar.addfile(info, io.BytesIO(b"{}"))
    with pytest.raises(TerminalError, match="other content"):
        Archive(path, "x", LIMITS).image("oci-archive", "amd64", "")


def test_a_manifest_that_is_too_large_is_not_read(tmp_path):
    with pytest.raises(TerminalError, match="bytes"):
        Archive(archive(tmp_path / "a", {"index.json": b" " * 5000}), "x", LIMITS).image("oci-archive", "amd64", "")


@pytest.mark.parametrize("path", ["../outside", "sub/../../outside", "/etc/passwd", "out", "deep/out", "dir/outside", "."])
def test_archives_lie_below_their_directory_links_included(tmp_path, path):
    base = tmp_path / "archives"
    (base / "deep").mkdir(parents=True)
    (tmp_path / "outside").write_bytes(gzip.compress(b""))
    (base / "out").symlink_to(tmp_path / "outside")
    (base / "deep" / "out").symlink_to("../../outside")
    (base / "dir").symlink_to(tmp_path)
    with pytest.raises(TerminalError) as caught:
        locate(ArchiveReference("oci-archive", path), base)
    assert caught.value.reason in {"InvalidSpec", "ImageNotFound"}
