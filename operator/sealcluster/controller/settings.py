"""Settings of the operator, from environment variables: what a chart can set and a person can see in the pod."""

from __future__ import annotations

import dataclasses
import os
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sealcluster.core.errors import TerminalError

PREFIX = "SEALCLUSTER_"
_SERVICE_LINK = re.compile(r".*_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)")
"""Variables that Kubernetes makes for every Service of the namespace; one named sealcluster-… would look like our settings."""


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _path(text: str) -> Path | None:
    return Path(text) if text else None


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"it must be one of {', '.join(choices)}")
        return text

    return parse


def _port(text: str) -> int:
    if not 0 <= int(text) < 65536:
        raise ValueError("it must be a port, 0 to 65535")
    return int(text)


_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40}


def _bytes(text: str) -> int:
    found = re.fullmatch(r"([1-9][0-9]{0,17})([kMGT]|[KMGT]i)?", text)
    if found is None:
        raise ValueError("it must be a size such as 40Gi")
    return int(found[1]) * _UNITS[found[2] or ""]


def _proxy(text: str) -> str:
    parts = urlsplit(text)
    if text and (parts.scheme != "http" or not parts.hostname):
        raise ValueError("it must be the URL of an HTTP proxy, http://HOST:PORT")  # without the text: it may hold a password
    return text


_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "namespaces": _list,
    "kubeconfig": _path,
    "listen_port": _port,
    "log_format": _one_of("json", "console"),
    "log_level": _one_of("DEBUG", "INFO", "WARNING", "ERROR"),
    "store": Path,
    "archives": Path,
    "insecure_registries": _list,
    "extra_ca": _path,
    "store_limit": _bytes,
    "proxy": _proxy,
    "no_proxy": _list,
    "exit_seconds": float,
}
"""How the text of a variable becomes a value; what is not here is taken as it is."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Each field is read from ``SEALCLUSTER_<NAME>``, lists separated by commas."""

    namespaces: tuple[str, ...] = ()
    """Namespaces to watch; none: the whole cluster."""
    kubeconfig: Path | None = None
    """Kubeconfig of the management plane; none: the pod's ServiceAccount."""
    listen_address: str = "0.0.0.0"  # nosec B104  # kubelet and Prometheus come to the address of the pod
    """Address of the HTTP server for probes and metrics; any, for kubelet and Prometheus come to the address of the pod."""
    listen_port: int = 8080
    """Its port; 0: any free one."""
    log_format: str = "json"
    """``json``: an object per line; ``console``: for people."""
    log_level: str = "INFO"
    """The least level that is logged."""
    store: Path = Path("/var/lib/sealcluster")
    """Directory of the content store."""
    store_limit: int = 40 << 30
    """Bytes that it may use (``40Gi``); the oldest content goes first, what a cluster needs now never."""
    archives: Path = Path("/var/lib/sealcluster/archives")
    """The only directory below which image archives may be read."""
    insecure_registries: tuple[str, ...] = ()
    """host:port of registries that are spoken to over plain HTTP."""
    extra_ca: Path | None = None
    """PEM file of certificate authorities that registries may use besides the system's."""
    proxy: str = field(default="", repr=False)
    """URL of an HTTP proxy that leads to registries, http://HOST:PORT; may hold user and password."""
    no_proxy: tuple[str, ...] = ()
    """Hosts, domains and networks (10.0.0.0/8) of registries that are reached without it."""
    argocd_namespace: str = ""
    """Namespace of Argo CD, for SealClusters with the label sealcluster.io/argocd=true; empty: none is registered."""
    exit_seconds: float = 20.0
    """How long stopping may take; less than the pod's terminationGracePeriodSeconds."""
    instance: str = field(default_factory=socket.gethostname)
    """Name of this process in state records and events: the pod's name."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read them; TerminalError naming the variable that is wrong, or that nobody knows (a typing error would else pass unseen)."""
        known = {PREFIX + item.name.upper(): item.name for item in dataclasses.fields(cls)}
        values: dict[str, Any] = {}
        for variable in sorted(v for v in environment if v.startswith(PREFIX)):
            if variable not in known and _SERVICE_LINK.fullmatch(variable):
                continue
            if variable not in known:
                raise _wrong(variable, "there is no such setting; known: " + ", ".join(sorted(known)))
            try:
                values[known[variable]] = _PARSERS.get(known[variable], str)(environment[variable])
            except ValueError as error:
                raise _wrong(variable, str(error)) from error
        return cls(**values)


def _wrong(variable: str, cause: str) -> TerminalError:
    return TerminalError(f"reading the setting {variable}: {cause}", reason="InvalidSpec", hint="correct the environment of the operator")
