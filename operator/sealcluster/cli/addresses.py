"""sealos' grammar of address lists, and `[user@]host[:port]`."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from sealcluster.core.errors import TerminalError

_RANGE = re.compile(r"(\d+\.\d+\.\d+\.\d+)-(\d+\.\d+\.\d+\.\d+)")
_BASTION = re.compile(r"(?:(?P<user>[^@:\s]+)@)?(?P<host>[^@:\s]+)(?::(?P<port>\d{1,5}))?")
LONGEST = 2000


def parse_addresses(text: str, flag: str) -> list[tuple[str, int | None]]:
    """``ip``, ``ip:port``, ``ipA-ipB`` and a network (its hosts), comma-separated: addresses with their port, None: the common one."""
    found: list[tuple[str, int | None]] = []
    for item in (t.strip() for t in text.split(",")):
        if not item:
            continue
        try:
            found += _item(item)
        except ValueError as error:
            raise TerminalError(
                f"reading {flag}: {item!r} is no IPv4 address, address:port, range or network ({error})",
                reason="InvalidSpec",
                hint="write 10.0.0.11, 10.0.0.11:2222, 10.0.0.11-10.0.0.15 or 10.0.0.8/29",
            ) from error
    addresses = [address for address, _ in found]
    twice = sorted({a for a in addresses if addresses.count(a) > 1}) if len(addresses) != len(set(addresses)) else []
    if twice:
        raise TerminalError(f"reading {flag}: {', '.join(twice)} is listed twice", reason="InvalidSpec")
    return found


def _item(item: str) -> list[tuple[str, int | None]]:
    if match := _RANGE.fullmatch(item):
        first, last = (ipaddress.IPv4Address(g) for g in match.groups())
        if last < first or int(last) - int(first) >= LONGEST:
            raise ValueError(f"the range is empty or longer than {LONGEST:,}")
        return [(str(ipaddress.IPv4Address(n)), None) for n in range(int(first), int(last) + 1)]
    if "/" in item:
        network = ipaddress.IPv4Network(item)
        if network.num_addresses > 2048:
            raise ValueError("the network has more than 2,046 hosts")
        return [(str(address), None) for address in network.hosts()]
    address, colon, port = item.partition(":")
    number = int(port) if colon else None
    if number is not None and not 1 <= number <= 65535:
        raise ValueError("the port is not between 1 and 65535")
    return [(str(ipaddress.IPv4Address(address)), number)]


def parse_bastion(text: str) -> dict[str, Any]:
    """spec.ssh.bastion of ``[user@]host[:port]``."""
    match = _BASTION.fullmatch(text)
    if match is None:
        raise TerminalError(f"reading --bastion: {text!r} is not [user@]host[:port]", reason="InvalidSpec")
    found: dict[str, Any] = {"address": match["host"]}
    if match["port"]:
        found["port"] = int(match["port"])
    if match["user"]:
        found["user"] = match["user"]
    return found


def parse_pairs(items: list[str] | None, flag: str) -> dict[str, str]:
    """``NAME=value`` items; the last of a name counts."""
    pairs = {}
    for item in items or ():
        name, equals, value = item.partition("=")
        if not equals or not name:
            raise TerminalError(f"reading {flag}: {item!r} is not NAME=value", reason="InvalidSpec")
        pairs[name] = value
    return pairs
