"""From `sealcluster run`'s flags to the same SealCluster that a file would describe."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sealcluster.core.errors import TerminalError

CREDENTIALS = "cli"
"""Name of the credentials that come from the flags, as `ssh.credentialsSecretRef` names them."""

_RANGE = re.compile(r"(\d+\.\d+\.\d+\.\d+)-(\d+\.\d+\.\d+\.\d+)")


@dataclass(frozen=True, slots=True)
class RunFlags:
    """What was typed."""

    name: str
    images: Sequence[str]
    masters: str = ""
    nodes: str = ""
    user: str = "root"
    port: int = 22
    env: Mapping[str, str] = field(default_factory=dict)
    strict_host_keys: bool = False


def parse_addresses(text: str, flag: str) -> list[tuple[str, int | None]]:
    """``ip``, ``ip:port``, ``ipA-ipB`` and CIDR (its hosts), comma-separated."""
    found: list[tuple[str, int | None]] = []
    for item in (t.strip() for t in text.split(",")):
        if not item:
            continue
        try:
            if match := _RANGE.fullmatch(item):
                first, last = (ipaddress.IPv4Address(g) for g in match.groups())
                if last < first or int(last) - int(first) > 2000:
                    raise ValueError("the range is empty or longer than 2,000")
                found += [(str(ipaddress.IPv4Address(n)), None) for n in range(int(first), int(last) + 1)]
            elif "/" in item:
                network = ipaddress.IPv4Network(item)
                if network.prefixlen < 21:
                    raise ValueError("the network has more than 2,046 addresses")
                found += [(str(a), None) for a in network.hosts()]
            else:
                address, _, port = item.partition(":")
                found.append((str(ipaddress.IPv4Address(address)), int(port) if port else None))
        except ValueError as error:
            raise TerminalError(
                f"reading {flag}: {item!r} is no IPv4 address, address:port, range or network ({error})", reason="InvalidSpec"
            ) from error
    return found


def build(flags: RunFlags) -> dict[str, Any]:
    """The SealCluster as a document, to be validated like any other."""
    masters, nodes = parse_addresses(flags.masters, "--masters"), parse_addresses(flags.nodes, "--nodes")
    both = {a for a, _ in masters} & {a for a, _ in nodes}
    if both:
        raise TerminalError(f"reading --masters and --nodes: {', '.join(sorted(both))} is in both", reason="InvalidSpec")
    hosts = []
    for kind, rows, role in (("m", masters, "master"), ("w", nodes, "node")):
        for number, (address, port) in enumerate(rows, 1):
            hosts.append({"name": f"{flags.name}-{kind}{number}", "address": address, "roles": [role], **({"port": port} if port else {})})
    return {
        "apiVersion": "sealcluster.io/v1alpha1",
        "kind": "SealCluster",
        "metadata": {"name": flags.name, "generation": 1},
        "spec": {
            "images": [{"name": image_name(ref, flags.images), "ref": ref} for ref in flags.images],
            "hosts": hosts,
            "env": dict(flags.env),
            "ssh": {
                "user": flags.user,
                "port": flags.port,
                "credentialsSecretRef": {"name": CREDENTIALS},
                "hostKeys": {"policy": "Strict" if flags.strict_host_keys else "TrustOnFirstUse"},
            },
        },
    }


def image_name(ref: str, refs: Sequence[str]) -> str:
    """A short unique name for an image: the last part of its repository or file name."""

    def short(text: str) -> str:
        base = (
            text.split("@", maxsplit=1)[0]
            .rsplit("/", 1)[-1]
            .split(":", 1 if not text.startswith(("oci-archive:", "docker-archive:")) else 2)
        )
        word = base[0] if base[0] not in ("oci-archive", "docker-archive") else base[1]
        return re.sub(r"[^a-z0-9-]+", "-", word.removesuffix(".tar").lower()).strip("-")[:60] or "image"

    name = short(ref)
    same = [r for r in refs if short(r) == name]
    return name if len(same) == 1 else f"{name}-{same.index(ref) + 1}"
