"""Editing /etc/hosts in whatever state it is: our block is there once, lines of other people stay, and taking it out again leaves no trace."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealcluster.core.ops import WriteHosts
from sealcluster.host.operations import recipe
from sealcluster.host.records import hosts_block
from sealcluster.host.scripts import load
from unit.properties.strategies import FUZZ, quick

MARKS = ("# BEGIN sealcluster", "# END sealcluster")
theirs = st.lists(
    st.sampled_from(["127.0.0.1 localhost", "10.0.0.9 other  # note", "", "# comment", "::1 ip6", "10.0.0.8\tsealos.hub extra", "x" * 200])
    | st.text(alphabet=st.characters(codec="ascii", exclude_characters="\n\r\0"), max_size=20),
    max_size=6,
)
torn = st.lists(st.sampled_from([*MARKS, "10.0.0.1 sealos.hub", "127.0.0.1 localhost", "10.0.0.2 theirs"]), max_size=8)
entries = st.lists(
    st.tuples(st.sampled_from(["10.0.0.1", "10.0.0.2"]), st.sampled_from(["sealos.hub", "apiserver.cluster.local"])), max_size=3
)


ROUND = """
for case in case.*; do
	(cd "$case"; render_hosts hosts ''; cp in/hosts once; render_hosts once ''; cp in/hosts twice; : >in/block; render_hosts once ''; cp in/hosts none)
done
"""
many = settings(quick, max_examples=FUZZ // 8 or 2)
"""Each example is a batch: starting a shell costs more than editing a file."""


def rounds(directory, cases):
    """(once, twice, taken out again) for each (text, block), by the function that the scripts of hosts use."""
    for number, (text, block) in enumerate(cases):
        case = directory / f"case.{number:03}"
        (case / "in").mkdir(parents=True, exist_ok=True)
        (case / "hosts").write_text(text)
        (case / "in" / "block").write_text(block)
    subprocess.run(["sh", "-ec", load("hosts") + ROUND], cwd=directory, check=True)
    return [tuple((directory / f"case.{n:03}" / name).read_text() for name in ("once", "twice", "none")) for n in range(len(cases))]


def block_of(rows):
    return recipe(WriteHosts(tuple(rows))).inputs._files["in/block"].decode()


def text_of(lines):
    return "".join(f"{line}\n" for line in lines)


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("hosts")


def batch(lines, rows):
    return st.lists(st.tuples(lines, rows.map(block_of)), min_size=8, max_size=8)


@many
@given(batch(theirs.filter(lambda lines: not set(lines) & set(MARKS)), entries))
def test_there_and_back(directory, cases):
    for (lines, block), (once, twice, none) in zip(cases, rounds(directory, [(text_of(ls), b) for ls, b in cases]), strict=True):
        assert once.startswith(text_of(lines))
        assert (hosts_block(once) or "") == block
        assert twice == once
        assert none == text_of(lines)


@many
@given(batch(torn, entries.filter(bool)))
def test_a_torn_block_is_mended(directory, cases):
    for (lines, block), (once, twice, _) in zip(cases, rounds(directory, [(text_of(ls), b) for ls, b in cases]), strict=True):
        assert hosts_block(once) == block
        assert [once.splitlines().count(mark) for mark in MARKS] == [1, 1]
        assert twice == once
        kept = lines[lines.index(MARKS[1]) + 1 :] if MARKS[1] in lines else lines
        assert all(line in once.splitlines() for line in kept if line == "10.0.0.2 theirs" and MARKS[0] not in lines)


@pytest.mark.parametrize("word", ["a b", "a\nb", "", " a", "a\n# END sealcluster"])
def test_names_that_would_be_two_lines_are_refused(word):
    for row in ((word, "x"), ("10.0.0.1", word)):
        with pytest.raises(ValueError, match="not one word"):
            recipe(WriteHosts((row,)))
