"""Credentials: nothing from this machine, and errors that do not quote them."""

import asyncssh
import pytest

from sealcluster.core.errors import TerminalError
from sealcluster.core.ports import Credentials
from sealcluster.ssh.login import login_options

KEY = asyncssh.generate_private_key("ssh-ed25519")
PLAIN = KEY.export_private_key().decode()
LOCKED = KEY.export_private_key(passphrase="open sesame").decode()


def test_nothing_of_this_machine_is_used():
    options = login_options("h1", Credentials(password="x"))
    assert options["agent_path"] is None
    assert options["config"] is None
    assert options["client_keys"] == []
    assert options["disable_trivial_auth"] is True


def test_a_locked_key_opens_with_its_passphrase():
    options = login_options("h1", Credentials(private_key=LOCKED, passphrase="open sesame"))
    assert options["client_keys"][0].convert_to_public() == KEY.convert_to_public()


def test_a_certificate_goes_with_its_key():
    ca = asyncssh.generate_private_key("ssh-ed25519")
    certificate = ca.generate_user_certificate(KEY, "ops", principals=["root"]).export_certificate().decode()
    key, loaded = login_options("h1", Credentials(private_key=PLAIN, certificate=certificate))["client_keys"][0]
    assert key.convert_to_public() == KEY.convert_to_public()
    assert loaded.principals == ["root"]


BAD = {
    "nothing": (Credentials(), "neither"),
    "no passphrase": (Credentials(private_key=LOCKED), "passphrase"),
    "wrong passphrase": (Credentials(private_key=LOCKED, passphrase="wrong words"), "passphrase"),
    "no key": (Credentials(private_key="topsecret rubbish"), "OpenSSH or PEM"),
    "torn key": (Credentials(private_key=PLAIN[:120]), "OpenSSH or PEM"),
    "no certificate": (Credentials(private_key=PLAIN, certificate="rubbish"), "certificate"),
}


@pytest.mark.parametrize(("credentials", "says"), BAD.values(), ids=BAD)
def test_unusable_credentials_are_named_but_not_quoted(credentials, says):
    with pytest.raises(TerminalError, match=says) as caught:
        login_options("h1", credentials)
    assert caught.value.reason == "AuthenticationFailed"
    text = f"{caught.value} {caught.value.hint} {caught.value!r}"
    assert not any(v in text for v in ("topsecret", "wrong words", PLAIN[60:90]))


def test_credentials_do_not_show():
    text = repr(Credentials(user="root", password="hunter22", private_key="k3y", passphrase="phr4se", become_password="b3come"))
    assert not any(secret in text for secret in ("hunter22", "k3y", "phr4se", "b3come"))
