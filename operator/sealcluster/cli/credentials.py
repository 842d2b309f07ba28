"""What the options of login give, as the data of a Secret. Values come from files or are asked for, never from arguments."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import typer

from sealcluster.api import SealCluster
from sealcluster.cli.build_spec import CREDENTIALS, KNOWN_HOSTS
from sealcluster.cli.options import Login
from sealcluster.cli.texts import read, read_some

DEFAULT_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
"""Names of the keys that are tried in ~/.ssh where nothing else is said."""


def typed(login: Login) -> dict[str, str]:
    """Data of the Secret by key; asks for the password where that is wanted."""
    data: dict[str, str] = {}
    for key, what, path in (
        ("passphrase", "the passphrase", login.passphrase_file),
        ("password", "the password", login.password_file),
        ("become-password", "sudo's password", login.become_password_file),
    ):
        if path is not None:
            data[key] = read_some(path, what).rstrip("\r\n")
    if login.ask_password:
        data["password"] = typer.prompt("Password of the machines", hide_input=True, err=True)
    if login.key is not None:
        data["ssh-privatekey"] = read_some(login.key, "the private key")
    if login.known_hosts is not None:
        data[KNOWN_HOSTS] = read(login.known_hosts)
    return data


def secret_name(cluster: SealCluster) -> str:
    """The Secret that the options of login fill."""
    reference = cluster.spec.ssh.credentials_secret_ref
    return str(reference.name) if reference else CREDENTIALS


def complete(
    data: Mapping[str, str], stored: Mapping[str, str], given: Mapping[str, str], home: Path | None = None
) -> tuple[dict[str, str], str]:
    """The Secret to use, and the path of the default key where that had to be taken.

    `data` was typed, `given` stands in the manifest, `stored` is from an earlier command: in this order they win. A password that is
    typed replaces a stored key and the other way round, so that a wrong one does not linger.
    """
    fresh = {**given, **data}
    if fresh.get("ssh-privatekey") or fresh.get("password"):
        old = {key: value for key, value in stored.items() if key not in ("ssh-privatekey", "passphrase", "password", "ssh-certificate")}
        return {**old, **fresh}, ""
    merged = {**stored, **fresh}
    if merged.get("ssh-privatekey") or merged.get("password"):
        return merged, ""
    folder = (home or Path.home()) / ".ssh"
    for name in DEFAULT_KEYS:
        if (folder / name).is_file():
            return {**merged, "ssh-privatekey": read(folder / name)}, str(folder / name)
    return merged, ""
