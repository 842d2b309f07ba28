"""Credentials in asyncssh's form."""

from __future__ import annotations

from typing import Any

import asyncssh

from sealcluster.core.errors import TerminalError
from sealcluster.core.ports import Credentials


def login_options(host: str, credentials: Credentials) -> dict[str, Any]:
    """Keyword arguments for `asyncssh.connect`. Nothing is taken from this machine: no agent, no default keys, no configuration."""
    keys: list[Any] = []
    if credentials.private_key:
        keys.append(_keypair(host, credentials))
    if not keys and credentials.password is None:
        raise TerminalError(
            f"logging in to host {host}: the credentials hold neither a private key nor a password",
            reason="AuthenticationFailed",
            host=host,
            hint="the Secret needs the key ssh-privatekey or password",
        )
    return {
        "username": credentials.user,
        "password": credentials.password,
        "client_keys": keys,
        "agent_path": None,
        "config": None,
        "gss_host": None,
        "preferred_auth": ["publickey", "keyboard-interactive", "password"],
        "disable_trivial_auth": True,
    }


def _keypair(host: str, credentials: Credentials) -> Any:
    try:
        key = asyncssh.import_private_key(credentials.private_key or "", credentials.passphrase)
    except asyncssh.KeyEncryptionError as error:
        raise _unreadable(host, "the passphrase does not open it") from error
    except (asyncssh.KeyImportError, ValueError) as error:
        if "assphrase must be specified" in str(error):
            raise _unreadable(host, "it needs a passphrase") from error
        # The text of the error may quote the key: it is not repeated.
        raise _unreadable(host, "it is not a private key in OpenSSH or PEM form") from error
    if not credentials.certificate:
        return key
    try:
        return key, asyncssh.import_certificate(credentials.certificate)
    except (asyncssh.KeyImportError, ValueError) as error:
        raise _unreadable(host, "ssh-certificate is not an OpenSSH user certificate") from error


def _unreadable(host: str, cause: str) -> TerminalError:
    return TerminalError(
        f"reading the private key for host {host}: {cause}",
        reason="AuthenticationFailed",
        host=host,
        hint="check ssh-privatekey, passphrase and ssh-certificate in the credentials Secret",
    )
