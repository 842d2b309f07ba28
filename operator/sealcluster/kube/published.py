"""The admin kubeconfig as `render.kubeconfig` writes it, read back from a Secret that the tenant may have written since.

Only what that form has is taken, and it must be all there is: a kubeconfig can also name programs to run and files to read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from sealcluster.core import foreign_yaml
from sealcluster.core.errors import TerminalError

LARGEST = 64 << 10
"""As `foreign_yaml.LARGEST`; ours are of 8 KiB."""

_CLUSTER = {
    "server": re.compile(r"https://[\w.:\[\]-]{1,300}", re.ASCII),
    "tls-server-name": re.compile(r"[A-Za-z0-9.-]{1,253}"),
    "certificate-authority-data": re.compile(r"[A-Za-z0-9+/]+={0,2}"),
}
_USER = {key: re.compile(r"[A-Za-z0-9+/]+={0,2}") for key in ("client-certificate-data", "client-key-data")}


@dataclass(frozen=True, slots=True)
class Published:
    """What leads to a cluster, besides where it is. Keys and certificates are base64 of PEM."""

    tls_server_name: str
    authority: str
    certificate: str
    key: str = field(repr=False)


def read_published(text: str, source: str) -> Published:
    """TerminalError naming `source` (``Secret ns/name``) for whatever is no kubeconfig of ours; it quotes nothing of it."""
    try:
        documents = foreign_yaml.load(text, LARGEST)
    except foreign_yaml.UNREADABLE as error:
        raise _not_ours(source, f"it {foreign_yaml.complaint(error)}") from None
    config = documents[0] if len(documents) == 1 and isinstance(documents[0], dict) else {}
    cluster = _texts(config.get("clusters"), "cluster", _CLUSTER, source)
    user = _texts(config.get("users"), "user", _USER, source)
    return Published(
        tls_server_name=cluster["tls-server-name"],
        authority=cluster["certificate-authority-data"],
        certificate=user["client-certificate-data"],
        key=user["client-key-data"],
    )


def _texts(entries: Any, what: str, wanted: dict[str, re.Pattern[str]], source: str) -> dict[str, str]:
    entry = entries[0] if isinstance(entries, list) and len(entries) == 1 else None
    found = entry.get(what) if isinstance(entry, dict) else None
    if not isinstance(found, dict) or set(found) != set(wanted):
        raise _not_ours(source, f"it must have one {what} with {', '.join(wanted)} and nothing else")
    for key, pattern in wanted.items():
        if not isinstance(found[key], str) or not pattern.fullmatch(found[key]):
            raise _not_ours(source, f"its {key} is none")
    return found


def _not_ours(source: str, problem: str) -> TerminalError:
    return TerminalError(
        f"reading the kubeconfig in {source}: {problem}",
        reason="StorageRefused",
        hint="delete the Secret: it is written anew",
    )
