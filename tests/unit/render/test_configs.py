"""Config objects: the four strategies, and what they refuse."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealcluster.render.configs import ConfigChange, ConfigError, apply_config

OLD = """\
# a comment
mode: 0644
answer: yes
ports: ["22:22", 80]
image: {name: pause, tag: "3.6"}
---
kind: Second
image:
  name: other
"""


def _merge(old: str, data: str) -> str:
    return apply_config(old, ConfigChange("etc/x.yaml", data, "merge"))


def test_override_replaces_and_creates() -> None:
    assert apply_config("old", ConfigChange("etc/x", "new\n")) == "new\n"
    assert apply_config("", ConfigChange("etc/x", "new")) == "new"


def test_insert_and_append_put_one_line_break_between() -> None:
    assert apply_config("old\n", ConfigChange("etc/x", "new", "insert")) == "new\nold\n"
    assert apply_config("old", ConfigChange("etc/x", "new\n", "append")) == "old\nnew\n"
    assert apply_config("old\n", ConfigChange("etc/x", "new\n", "append")) == "old\nnew\n"
    assert apply_config("", ConfigChange("etc/x", "new\n", "append")) == "new\n"


def test_merge_reaches_every_document_and_keeps_the_spelling_of_the_rest() -> None:
    assert _merge(OLD, "image: {name: new}\nadded: [1]\n") == (
        '---\nmode: 0644\nanswer: yes\nports: ["22:22", 80]\nimage: {name: new, tag: "3.6"}\nadded: [1]\n'
        "---\nkind: Second\nimage:\n  name: new\nadded: [1]\n"
    )


def test_merge_into_a_missing_file_is_the_data() -> None:
    assert _merge("", "a: 1\n") == "a: 1\n"
    assert _merge("---\n", "a: 1\n") == "a: 1\n"


def test_merge_sets_empty_values_and_fills_nulls() -> None:
    assert _merge("a: x\nb:\n", "a: ''\nb: {c: 1}\n") == "a: ''\nb: {c: 1}\n"


def test_merge_does_not_change_what_an_anchor_shares() -> None:
    merged = _merge("base: &b {k: 1}\nother: *b\n", "other: {k: 2}\n")
    assert merged == "base: {k: 1}\nother: {k: 2}\n"


@pytest.mark.parametrize(
    ("old", "data", "problem"),
    [
        ("a: 1", "- 1", "merge needs a map"),
        ("- 1", "a: 1", "merge needs a map"),
        ("a: {b: 1}", "a: [1]", "a is a map in the file and a list in the data"),
        ("a: {b: {c: 1}}", "a: {b: 2}", "a.b is a map in the file and a scalar in the data"),
        ("{{ if .x }}\na: 1\n{{ end }}", "a: 2", "as YAML"),
        ("a: [", "a: 2", "line 1"),
        ("a: 1", "a: 2\n---\nb: 3", "one YAML document"),
        ("a: " + "[" * 5_000, "a: 2", "nested too deeply"),
        ("a: 1", "&a {x: *a}", "refers to itself"),
        ("&b {x: *b}", "a: 1", "refers to itself"),
        ("a: \x01", "a: 1", "characters"),
    ],
)
def test_merge_refuses(old: str, data: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=r"etc/x\.yaml") as caught:
        _merge(old, data)
    assert problem in str(caught.value)


@pytest.mark.parametrize("path", ["/etc/x", "../x", "etc/../../x", "", "etc//x", "./x", "registry/docker/x", "etc/\nx"])
def test_paths_that_leave_the_tree_are_refused(path: str) -> None:
    with pytest.raises(ConfigError):
        ConfigChange(path, "x")


def test_reads_a_document() -> None:
    document = {"kind": "Config", "metadata": {"name": "n"}, "spec": {"path": "etc/a", "data": "x", "strategy": "append", "match": "img"}}
    assert ConfigChange.from_document(document) == ConfigChange("etc/a", "x", "append", "img", "n")
    assert ConfigChange.from_document({"kind": "Config", "spec": {"path": "etc/a"}}) == ConfigChange("etc/a", "")


@pytest.mark.parametrize(
    "document",
    [
        {"kind": "Cluster", "spec": {"path": "a"}},
        {"kind": "Config"},
        {"kind": "Config", "spec": {"data": "x"}},
        {"kind": "Config", "spec": {"path": "a", "data": {"not": "text"}}},
        {"kind": "Config", "spec": {"path": "a", "strategy": "shallow"}},
        {"kind": "Config", "metadata": [], "spec": {"path": ["a"]}},
    ],
)
def test_bad_documents_are_refused(document: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        ConfigChange.from_document(document)


def test_repr_does_not_show_the_data() -> None:
    assert "s3cret" not in repr(ConfigChange("etc/x", "s3cret"))


@given(st.text(max_size=80), st.text(max_size=80), st.sampled_from(["merge", "insert", "append", "override"]))
@settings(max_examples=200, deadline=None)
def test_never_fails_otherwise(old: str, data: str, strategy: str) -> None:
    try:
        apply_config(old, ConfigChange("etc/x", data, strategy))
    except ConfigError:
        assert strategy == "merge"
