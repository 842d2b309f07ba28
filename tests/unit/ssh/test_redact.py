"""No secret leaves: neither as it is, nor in pieces, nor encoded."""

import base64

import asyncssh
import pytest

from sealcluster.ssh.plain import plain
from sealcluster.ssh.redact import MASK, MIN_LENGTH, Redactor


def test_a_secret_is_masked_wherever_it_stands():
    assert Redactor(["hunter22"])("password=hunter22;again hunter22") == f"password={MASK};again {MASK}"


def test_its_base64_form_is_masked():
    text = f"header: {base64.b64encode(b'correct horse').decode()}"
    assert Redactor(["correct horse"])(text) == f"header: {MASK}"


def test_a_longer_secret_is_masked_before_a_shorter_one_inside_it():
    assert Redactor(["pass", "passphrase"])("passphrase") == MASK


def test_single_lines_of_a_private_key_are_masked():
    key = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    for line in key.splitlines()[1:-1]:
        assert Redactor([key])(f"error near {line}!") == f"error near {MASK}!" or len(line) < 16


def test_private_keys_and_tokens_are_masked_without_being_known():
    text = Redactor()("a -----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- b abcdef.0123456789abcdef c")
    assert text == f"a {MASK} b {MASK} c"


def test_a_cut_off_private_key_is_masked_to_the_end():
    assert Redactor()("x -----BEGIN PRIVATE KEY-----\nMIIabc") == f"x {MASK}"


def test_an_authorization_header_is_masked():
    assert Redactor()("> Authorization: Basic YWRtaW46cGFzcw==") == f"> Authorization: {MASK}"


def test_names_and_versions_are_no_tokens():
    text = "pulled registry.k8s.io/kube-apiserver:v1.34.4 on node-a.example"
    assert Redactor()(text) == text


def test_short_and_empty_values_do_not_eat_the_text():
    assert Redactor(["", None, "a", "abc"])("abc a") == "abc a"


def test_repr_shows_nothing():
    assert "hunter22" not in repr(Redactor(["hunter22"]).plus(["swordfish"]))


def test_plus_knows_both():
    assert Redactor(["first"]).plus(["second"])("first second") == f"{MASK} {MASK}"


SECRET = "correct-horse-battery-staple"


@pytest.mark.parametrize("at", range(len(SECRET) - MIN_LENGTH + 1))
def test_the_rest_of_a_secret_at_a_cut_is_masked(at):
    assert Redactor([SECRET])(SECRET[at:] + " and more", cut=True) == f"{MASK} and more"


@pytest.mark.parametrize("length", range(MIN_LENGTH, len(SECRET) + 1))
def test_the_beginning_of_a_secret_at_an_unfinished_end_is_masked(length):
    assert Redactor([SECRET])("more and " + SECRET[:length], unfinished=True) == f"more and {MASK}"


def test_words_that_are_part_of_a_secret_stay_where_nothing_was_cut():
    assert Redactor([SECRET])("staple and corr") == "staple and corr"
    assert Redactor([SECRET])("a staple and correct horses", cut=True, unfinished=True) == "a staple and correct horses"


def test_a_secret_is_masked_where_a_letter_of_it_was_cut():
    cut = plain("pässwörter".encode()[2:])
    assert Redactor(["pässwörter"])(cut + "!", cut=True) == f"{MASK}!"


def test_of_a_secret_of_several_lines_the_rest_is_masked_as_a_whole():
    assert Redactor(["first line\nsecond line\nthird line"])("rst line\nsecond line\nthird line\nend", cut=True) == f"{MASK}\nend"


def test_a_private_key_without_its_beginning_is_masked_from_a_cut_on():
    key = "MIIabc\nMIIdef\n-----END RSA PRIVATE KEY-----"
    assert Redactor()(f"{key} b", cut=True) == f"{MASK} b"
    whole = f"a -----BEGIN CERTIFICATE-----\nMIIx\n-----END CERTIFICATE----- {key}"
    assert Redactor()(whole, cut=True) == whole, "nothing of a key was cut off there"
