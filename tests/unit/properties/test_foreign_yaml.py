"""YAML of images and tenants: what it becomes is counted before anything is made of it, wherever it is read."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sealcluster.core import foreign_yaml
from sealcluster.core.errors import TerminalError
from sealcluster.images.clusterimage import complete, describe
from sealcluster.images.manifest import ImageConfig
from sealcluster.render.clusterfile_parse import parse_clusterfile
from sealcluster.render.configs import ConfigChange, ConfigError, apply_config
from sealcluster.render.kubeadm import parse_documents
from sealcluster.render.kubeadm_inputs import FieldError
from unit.properties.strategies import junk, quick


def growing(entry, levels=12):
    """Each level stands for ten of the one below."""
    return "a0: &a0 {k: v}\n" + "".join(f"a{n}: &a{n} {entry.format(','.join([f'*a{n - 1}'] * 10))}\n" for n in range(1, levels))


LONG = "x" * 9_000
BOMBS = {
    "aliases": growing("[{}]"),
    "merge keys": growing("{{<<: [{}]}}"),
    "a long text many times": f"a: &a {LONG}\nb: [{','.join(['*a'] * 9_000)}]\n",
    "levels by aliases": "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 2_000)),
    "levels": "a: " + "[" * 20_000,
    "itself": "a: &a {b: *a}\n",
    "itself by merging": "a: &a {<<: *a}\n",
    "many": "a: [" + "x," * 80_000 + "]\n",
    "a number": "a: 0x" + "f" * 50_000 + "\n",
    "a number of sixties": "a: 1" + ":10" * 15_000 + "\n",
}
SLOW = {"many": pytest.mark.thorough}


def an_images_kubeadm_documents(text):
    parse_documents("kind: KubeletConfiguration\n" + text)


def an_images_configs(text):
    complete(describe("x", "r/x:1", "0" * 64, "amd64", ImageConfig("linux", "amd64", ())), (), "kind: Config\n" + text)


def a_clusterfile(text):
    parse_clusterfile("kind: Cluster\n" + text)


def a_change(text):
    apply_config("z: 1\n", ConfigChange("etc/a", text, "merge"))


def a_changed_file(text):
    apply_config(text, ConfigChange("etc/a", "z: 1\n", "merge"))


@pytest.mark.timeout(20)
@pytest.mark.parametrize("bomb", [pytest.param(BOMBS[name], id=name, marks=SLOW.get(name, ())) for name in BOMBS])
@pytest.mark.parametrize("read", [an_images_kubeadm_documents, an_images_configs, a_clusterfile, a_change, a_changed_file])
def test_what_would_grow_without_end_is_refused(read, bomb):
    with pytest.raises((FieldError, TerminalError, ConfigError)) as caught:
        read(bomb)
    assert len(str(caught.value)) < 200


def test_all_documents_of_a_stream_count_together():
    one = "- " + "x" * 100 + "\n---\n"
    assert len(foreign_yaml.load(one * 5, 1_000)) == 6
    with pytest.raises(foreign_yaml.TooMuch):
        foreign_yaml.load(one * 9, 1_000)


def test_anchors_and_merge_keys_are_fine_within_the_bounds():
    assert foreign_yaml.load("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: [*a, *a]\n") == [
        {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}, "c": [{"x": 1, "y": 2}] * 2}
    ]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@quick
@given(st.lists(values, max_size=3))
def test_reads_what_everybody_reads(documents):
    text = yaml.safe_dump_all(documents, allow_unicode=True)
    assert foreign_yaml.load(text) == list(yaml.safe_load_all(text))


@quick
@given(junk.map(lambda data: data.decode("latin-1")) | st.text())
def test_anything_is_values_or_an_error(text):
    try:
        foreign_yaml.load(text)
    except foreign_yaml.UNREADABLE as error:
        assert foreign_yaml.complaint(error)
