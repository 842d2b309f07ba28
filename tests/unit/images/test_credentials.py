"""Which credentials go where, and how registries ask for them."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealcluster.core.errors import TerminalError
from sealcluster.images.challenge import Challenge, parse_challenges
from sealcluster.images.credentials import credentials_for, parse_docker_config
from sealcluster.images.reference import RegistryReference, parse_reference

A, B, C = ("a", "1"), ("b", "2"), ("c", "3")


def found(auths: dict[str, tuple[str, str]], text: str) -> tuple[str, str] | None:
    reference = parse_reference(text)
    assert isinstance(reference, RegistryReference)
    return credentials_for(auths, reference)


@pytest.mark.parametrize(
    ("auths", "ref", "expected"),
    [
        ({"r.example": A}, "r.example/x:y", A),
        ({"https://r.example/v2/": A}, "r.example/x:y", A),
        ({"R.Example:5000": A}, "r.example:5000/x", A),
        ({"r.example": A}, "r.example:5000/x", None),
        ({"r.example": A}, "evil-r.example/x", None),
        ({"r.example": A}, "r.example.evil/x", None),
        ({"r.example": A, "r.example/team": B}, "r.example/team/x", B),
        ({"r.example": A, "r.example/team": B}, "r.example/teams/x", A),
        ({"https://index.docker.io/v1/": A}, "kubernetes", A),
        ({"docker.io": A}, "labring/kubernetes", A),
        ({}, "r.example/x", None),
    ],
)
def test_the_most_specific_entry_of_the_same_host(auths: dict[str, tuple[str, str]], ref: str, expected: tuple[str, str] | None) -> None:
    assert found(auths, ref) == expected


def test_docker_config() -> None:
    encoded = base64.b64encode(b"user:pa:ss").decode()
    text = f'{{"auths": {{"a.example": {{"auth": "{encoded}"}}, "b.example": {{"username": "u", "password": "p"}}}}}}'
    assert parse_docker_config(text, "Secret x/y") == {"a.example": ("user", "pa:ss"), "b.example": ("u", "p")}


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"auths": []}', '{"auths": {"a": 1}}', '{"auths": {"a": {}}}', '{"auths": {"a": {"auth": "s3cret!"}}}']
)
def test_a_bad_docker_config_names_the_secret_and_shows_nothing(text: str) -> None:
    with pytest.raises(TerminalError, match="Secret x/y") as caught:
        parse_docker_config(text, "Secret x/y")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (
            ['Bearer realm="https://a/t",service="a, b",scope="x:y:pull"'],
            [Challenge("bearer", {"realm": "https://a/t", "service": "a, b", "scope": "x:y:pull"})],
        ),
        (['Basic realm="x", Bearer realm="y"'], [Challenge("basic", {"realm": "x"}), Challenge("bearer", {"realm": "y"})]),
        (['Basic realm="x"', "Bearer realm=y"], [Challenge("basic", {"realm": "x"}), Challenge("bearer", {"realm": "y"})]),
        (['BASIC REALM="a\\"b"'], [Challenge("basic", {"realm": 'a"b'})]),
        (["Negotiate", "Basic"], [Challenge("negotiate", {}), Challenge("basic", {})]),
        ([""], []),
        (["=,;", "\x00"], []),
    ],
)
def test_challenges(headers: list[str], expected: list[Challenge]) -> None:
    assert parse_challenges(headers) == expected


@given(st.lists(st.text(max_size=200) | st.from_regex(r'[A-Za-z=", \\]{0,200}', fullmatch=True), max_size=3))
def test_challenges_never_fail(headers: list[str]) -> None:
    parse_challenges(headers)
