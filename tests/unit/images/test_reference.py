"""References: what they mean, which are none, and that nothing else ever happens."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealcluster.images.errors import InvalidReference
from sealcluster.images.reference import ArchiveReference, RegistryReference, parse_reference

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "canonical", "host"),
    [
        ("kubernetes:v1.34.4", "docker.io/library/kubernetes:v1.34.4", "registry-1.docker.io"),
        ("labring/kubernetes", "docker.io/labring/kubernetes:latest", "registry-1.docker.io"),
        ("docker.io/helm:v3", "docker.io/library/helm:v3", "registry-1.docker.io"),
        ("index.docker.io/a/b", "docker.io/a/b:latest", "registry-1.docker.io"),
        ("registry.example/kubernetes:v1", "registry.example/kubernetes:v1", "registry.example"),
        ("Registry.Example:5000/a/b/c", "registry.example:5000/a/b/c:latest", "registry.example:5000"),
        ("localhost/a:b", "localhost/a:b", "localhost"),
        ("[::1]:5000/a:b", "[::1]:5000/a:b", "[::1]:5000"),
        (f"registry.example/a@{DIGEST}", f"registry.example/a@{DIGEST}", "registry.example"),
        (f"registry.example/a:v1@{DIGEST}", f"registry.example/a:v1@{DIGEST}", "registry.example"),
        ("docker://registry.example/a:v1", "registry.example/a:v1", "registry.example"),
    ],
)
def test_registry_references(text: str, canonical: str, host: str) -> None:
    reference = parse_reference(text)
    assert isinstance(reference, RegistryReference)
    assert (str(reference), reference.host) == (canonical, host)
    assert parse_reference(canonical) == reference


def test_the_digest_decides() -> None:
    reference = parse_reference(f"registry.example/a:v1@{DIGEST}")
    assert isinstance(reference, RegistryReference)
    assert reference.wanted == DIGEST


def test_archives() -> None:
    assert parse_reference("oci-archive:/a/b.tar") == ArchiveReference("oci-archive", "/a/b.tar")
    assert parse_reference("docker-archive:b.tar:x:v1") == ArchiveReference("docker-archive", "b.tar", "x:v1")


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "a b",
        "A/b",
        "UPPER",
        "registry.example/UPPER",
        "registry.example/",
        "registry.example:0/a",
        "registry.example:99999/a",
        "-bad.example/a",
        "a//b",
        "a/../b",
        "a/b:",
        "a/b:-tag",
        "a/b:" + "t" * 129,
        "a@sha256:abc",
        "a@md5:" + "a" * 32,
        f"a@{DIGEST}x",
        "user@host.example/a",
        "host.example?x/a",
        "host.example/a?x",
        "host.example/a#x",
        "oci-archive:",
        "/a/b.tar",
        "./b.tar",
        "a" * 2_000,
        "registry.example/" + "a" * 256,
        "a\nb",
        "a/b:v1\u2028",
        "http://registry.example/a",
    ],
)
def test_what_is_no_reference(text: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        parse_reference(text)
    assert caught.value.reason == "InvalidSpec"


@given(st.text(max_size=60) | st.from_regex(r"[a-zA-Z0-9.:/@_-]{0,60}", fullmatch=True))
@settings(max_examples=400, deadline=None)
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    try:
        reference = parse_reference(text)
    except InvalidReference:
        return
    assert parse_reference(str(reference)) == reference
    if isinstance(reference, RegistryReference):
        assert not set(reference.host) & set("/?#@\\ ")
        assert not set(reference.repository) & set(":?#@\\ ")
