"""Layers become one tree: what whiteouts hide, what is refused."""

import io
import os
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sealcluster.images.errors import ImageCorrupt, TooLarge, UnsafeImage
from sealcluster.images.limits import Limits
from sealcluster.images.tree import Directory, File, Node, Symlink, walk
from sealcluster.images.unpack import Layer, unpack
from unit.images.builders import directory, entry, files, hardlink, symlink, tar

F = entry


def layers_of(where: Path, contents: Sequence[bytes]) -> list[Layer]:
    layers = []
    for number, content in enumerate(contents):
        path = where / f"layer{number}"
        path.write_bytes(b"before" + content)
        layers.append(Layer(path, 6, len(content)))
    return layers


def shown(layers: Sequence[Layer], root: Directory) -> dict[str, object]:
    """Paths with contents: bytes, "-> target", or None for directories."""

    def value(node: Node) -> object:
        if isinstance(node, Symlink):
            return f"-> {node.target}"
        if isinstance(node, File):
            return layers[node.layer].path.read_bytes()[node.offset : node.offset + node.size]
        return None

    return {path: value(node) for path, node in walk(root)}


def merged(where: Path, *contents: bytes, limits: Limits | None = None) -> dict[str, object]:
    layers = layers_of(where, contents)
    return shown(layers, unpack(layers, limits or Limits(), "the image"))


@pytest.mark.parametrize(
    ("lower", "upper", "expected"),
    [
        ([F("a", b"1"), F("b", b"2")], [F(".wh.a")], {"b": b"2"}),
        ([F("d/a", b"1"), F("d/b", b"2")], [F("d/.wh.a")], {"d": None, "d/b": b"2"}),
        ([F("d/a", b"1"), F("x", b"2")], [F(".wh.d")], {"x": b"2"}),
        ([F("d/a", b"1"), F("d/e/b", b"2")], [F("d/new", b"3"), F("d/.wh..wh..opq")], {"d": None, "d/new": b"3"}),
        ([F("d/a", b"1"), F("d/e/b", b"2")], [F("d/.wh..wh..opq"), F("d/e/n", b"3")], {"d": None, "d/e": None, "d/e/n": b"3"}),
        ([F("a", b"1")], [F(".wh.a"), F("a", b"2")], {"a": b"2"}),
        ([F("a", b"1")], [F("a", b"2"), F(".wh.a")], {"a": b"2"}),
        ([F("a/b", b"1")], [F("a", b"2")], {"a": b"2"}),
        ([F("a", b"1")], [directory("a"), F("a/b", b"2")], {"a": None, "a/b": b"2"}),
        ([symlink("l", "d"), F("d/a", b"1")], [directory("l"), F("l/b", b"2")], {"d": None, "d/a": b"1", "l": None, "l/b": b"2"}),
        ([F("a", b"1")], [F(".wh.nothing")], {"a": b"1"}),
        ([F("a", b"1")], [F(".wh..wh.plnk/x", b"?"), F(".wh..wh.aufs")], {"a": b"1"}),
        ([F("d/a", b"1")], [F(".wh..wh..opq"), F("b", b"2")], {"b": b"2"}),
        ([F("a", b"1")], [hardlink("b", "a")], {"a": b"1", "b": b"1"}),
        ([F("a", b"1")], [F("a", b"2"), hardlink("d/b", "./a")], {"a": b"2", "d": None, "d/b": b"2"}),
        ([F("a", b"1"), hardlink("b", "a")], [F("a", b"2")], {"a": b"2", "b": b"1"}),
        ([F("./a/./b", b"1"), directory("./")], [F("a//c", b"2")], {"a": None, "a/b": b"1", "a/c": b"2"}),
        ([F("a", b"1"), F("a", b"2")], [], {"a": b"2"}),
    ],
)
def test_whiteouts_and_replacements(
    lower: list[tuple[tarfile.TarInfo, bytes]], upper: list[tuple[tarfile.TarInfo, bytes]], expected: dict[str, object], tmp_path: Path
) -> None:
    assert merged(tmp_path, tar(*lower), tar(*upper)) == expected


@pytest.mark.parametrize(
    ("name", "target", "expected"),
    [
        ("d/l", "x", "x"),
        ("d/l", "../x", "../x"),
        ("d/e/l", "../../x/./y", "../../x/y"),
        ("l", ".", "."),
        ("d/l", "/usr/bin/x", "../usr/bin/x"),
        ("d/l", "/d/x", "x"),
        ("d/l", "/", ".."),
        ("d/l", "a/../b", "b"),
        ("d/e/l", "a/../../b", "../b"),
    ],
)
def test_links_stay_inside(name: str, target: str, expected: str, tmp_path: Path) -> None:
    assert merged(tmp_path, tar(symlink(name, target)))[name] == f"-> {expected}"


@pytest.mark.parametrize(
    ("entries", "problem"),
    [
        ([F("/etc/passwd", b"x")], "absolute"),
        ([F("../x", b"x")], ".."),
        ([F("a/../../x", b"x")], ".."),
        ([F("a/..", b"x")], ".."),
        ([symlink("l", "../x")], "out of the image"),
        ([symlink("d/l", "a/../../../x")], "out of the image"),
        ([symlink("l", "/../x")], "out of the image"),
        ([symlink("l", "")], "links to nothing"),
        ([symlink("l", "d"), F("l/x", b"x")], "below a link"),
        ([F("f", b"x"), F("f/x", b"x")], "below a link or a file"),
        ([hardlink("h", "missing")], "no file of the image"),
        ([hardlink("h", "../../etc/passwd")], ".."),
        ([hardlink("h", "/etc/passwd")], "absolute"),
        ([symlink("l", "x"), hardlink("h", "l")], "no file of the image"),
        ([directory("d"), hardlink("h", "d")], "no file of the image"),
        ([symlink("l", "d"), F("d/f", b"x"), hardlink("h", "l/f")], "no file of the image"),
        ([F("d/x", b"x"), F("d", b"x")], "is a directory"),
        ([entry("dev", kind=tarfile.CHRTYPE)], "character device"),
        ([entry("dev", kind=tarfile.BLKTYPE)], "block device"),
        ([entry("pipe", kind=tarfile.FIFOTYPE)], "fifo"),
        ([entry("sparse", kind=tarfile.GNUTYPE_SPARSE)], "sparse"),
        ([entry("what", kind=b"Z")], "unknown type"),
        ([F(".wh.")], "whiteout of nothing"),
        ([F(".wh...", b"")], "whiteout of nothing"),
        ([F("d/.wh...", b"")], "whiteout of nothing"),
        ([F(".wh.d/x", b"x")], "below a whiteout"),
        ([F("a\nb", b"x")], "control characters"),
        ([F("a\x1b[2J", b"x")], "control characters"),
        ([F("a\u202eb", b"x")], "control characters"),
        ([F("a\udcffb", b"x")], "not UTF-8"),
        ([F("", b"x")], "has no name"),
    ],
)
def test_what_could_do_harm_is_refused(entries: list[tuple[tarfile.TarInfo, bytes]], problem: str, tmp_path: Path) -> None:
    layer = tar(*entries, format=tarfile.GNU_FORMAT)
    with pytest.raises(UnsafeImage, match="layer 1 of the image") as caught:
        merged(tmp_path, layer)
    assert problem in str(caught.value)
    assert caught.value.reason == "ImageCorrupt"


@pytest.mark.parametrize("upper", [[F("l/x", b"x")], [F("l/.wh.x", b"")], [F("l/d/x", b"x")], [F("f/x", b"x")]])
def test_entries_below_a_link_of_a_lower_layer_are_refused(upper: list[tuple[tarfile.TarInfo, bytes]], tmp_path: Path) -> None:
    lower = [directory("d"), symlink("l", "d"), F("f", b"1")]
    with pytest.raises(UnsafeImage, match="no directory"):
        merged(tmp_path, tar(*lower), tar(*upper))


@pytest.mark.parametrize(
    "name", ["/".join("d" * 60), "x" * 256, "/".join(["x" * 200] * 6), "é" * 130], ids=["deep", "long name", "long path", "long in bytes"]
)
def test_long_and_deep_paths_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(TooLarge):
        merged(tmp_path, tar(F(name, b"x")))
    with pytest.raises(TooLarge):
        merged(tmp_path, tar(symlink("l", name)))


def test_long_names_are_read_in_every_format(tmp_path: Path) -> None:
    name = "d/" + "n" * 120
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT):
        entries = [F(name, b"1"), F("e" * 90 + "/" + "f" * 90, b"2"), F("ü", b"3")]
        entries += [symlink("l", "t" * 150)] if form != tarfile.USTAR_FORMAT else []
        if form == tarfile.USTAR_FORMAT:
            entries = entries[1:]
        found = merged(tmp_path, tar(*entries, format=form))
        assert found["e" * 90 + "/" + "f" * 90] == b"2"
        assert found["ü"] == b"3"
        assert form == tarfile.USTAR_FORMAT or (found[name], found["l"]) == (b"1", "-> " + "t" * 150)


def test_counts_of_entries_are_limited_over_all_layers(tmp_path: Path) -> None:
    layer = files({f"f{number}": b"" for number in range(60)})
    with pytest.raises(TooLarge, match="too many entries"):
        merged(tmp_path, layer, layer, limits=Limits(entries=100))
    assert len(merged(tmp_path, layer, layer, limits=Limits(entries=120))) == 60


def test_headers_without_entries_are_counted_too(tmp_path: Path) -> None:
    layer = tar(*(entry("pax", b"", kind=tarfile.XHDTYPE) for _ in range(200)), format=tarfile.USTAR_FORMAT)
    with pytest.raises(TooLarge, match="too many entries"):
        merged(tmp_path, layer, limits=Limits(entries=100))


def test_many_whiteouts_over_many_entries_are_quick(tmp_path: Path) -> None:
    lower = tar(*(F(f"d/f{number}", b"") for number in range(5_000)))
    upper = tar(*(F(f"d/.wh.f{number}", b"") for number in range(5_000)))
    assert merged(tmp_path, lower, upper) == {"d": None}


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:700],
        lambda data: data[:100],
        lambda data: data[:148] + b"77777777" + data[156:],
        lambda data: data[:124] + b"999999999999" + data[136:],
        lambda data: os.urandom(1) and b"\x01" * 512 + data,
    ],
    ids=["data cut", "header cut", "checksum", "size", "junk"],
)
def test_damaged_tars_are_refused(change, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]  # lambdas of a table
    with pytest.raises(ImageCorrupt):
        merged(tmp_path, change(tar(F("a", b"x" * 1_000))))


def _with_pax(headers: dict[str, str]) -> bytes:
    info, data = entry("a", b"xy")
    info.pax_headers = headers
    return tar((info, data))


@pytest.mark.parametrize(
    "layer",
    [
        _with_pax({"GNU.sparse.major": "1"}),
        _with_pax({"size": "-5"}),
        _with_pax({"size": "99999999999"}),
        _with_pax({"path": "../../x"}),
        _with_pax({"path": "x" * 70_000}),
        tar(entry("././@LongLink", b"../evil\0", kind=tarfile.GNUTYPE_LONGNAME), entry("a", b"x")),
        tar(entry("pax", b"999999999 path=x\n", kind=tarfile.XHDTYPE), entry("a", b"x")),
        tar(entry("pax", b"3 x", kind=tarfile.XHDTYPE), entry("a", b"x")),
        tar(entry("global", b"12 path=/a/b\n", kind=tarfile.XGLTYPE), entry("a", b"x")),
    ],
    ids=lambda layer: f"{len(layer)} bytes",
)
def test_extended_headers_that_lie_are_refused(layer: bytes, tmp_path: Path) -> None:
    with pytest.raises(ImageCorrupt):
        merged(tmp_path, layer)


_NAMES = st.sampled_from(["a", "b", "d/a", "d/e/a", "d", ".wh.a", "d/.wh.a", "d/.wh..wh..opq", "../a", "/a", "./b", "é"]) | st.text(
    max_size=6
)
_KINDS = st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.AREGTYPE])
_ENTRIES = st.builds(
    lambda name, kind, target, data: entry(name, data, kind=kind, target=target), _NAMES, _KINDS, _NAMES, st.binary(max_size=600)
)


@given(st.lists(st.lists(_ENTRIES, max_size=6), min_size=1, max_size=3), st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_tar_gives_a_tree_inside_its_root_or_an_error(
    tmp_path: Path, lists: list[list[tuple[tarfile.TarInfo, bytes]]], data: st.DataObject
) -> None:
    contents = []
    for entries in lists:
        try:
            content = tar(*entries)
        except (UnicodeError, ValueError):
            return
        for _ in range(data.draw(st.integers(0, 2))):
            at = data.draw(st.integers(0, len(content) - 1))
            content = content[:at] + data.draw(st.binary(min_size=1, max_size=2)) + content[at + 1 :]
        contents.append(content)
    try:
        found = merged(tmp_path, *contents)
    except ImageCorrupt:
        return
    for path, value in found.items():
        parts = path.split("/")
        assert ".." not in parts and "" not in parts and not path.startswith("/")
        if isinstance(value, str):
            target = value.removeprefix("-> ").split("/")
            climbs = sum(part == ".." for part in target)
            assert target[:climbs] == [".."] * climbs and climbs < len(parts)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,3}(/[a-z]{1,3}){0,3}", fullmatch=True), st.binary(max_size=1_500), max_size=8))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_reads_what_the_standard_library_reads(tmp_path: Path, content: dict[str, bytes]) -> None:
    layer = files(content)
    expected: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(layer)) as stream:
        for member in stream:
            file = stream.extractfile(member)
            assert file is not None
            expected[member.name] = file.read()
    try:
        found = merged(tmp_path, layer)
    except UnsafeImage:
        assert any(name.startswith(other + "/") for name in content for other in content)
        return
    assert {path: value for path, value in found.items() if value is not None} == expected
