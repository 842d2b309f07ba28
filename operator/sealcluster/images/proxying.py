"""Which registries are reached directly although there is a proxy: the rules that `NO_PROXY` has everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_network


def reached_directly(host: str, rules: Iterable[str]) -> bool:
    """True when one of the rules holds for a host (name or address, without port).

    A rule is ``*``, a name (with or without a leading dot: the domain and all below it), an address or a network (``10.0.0.0/8``).
    Networks hold for registries that are named by address: names are not resolved for this.
    """
    return any(_holds(rule.strip().lower(), host.strip("[]").lower()) for rule in rules)


def _holds(rule: str, host: str) -> bool:
    if rule == "*":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        name = rule.lstrip(".")
        return bool(name) and (host == name or host.endswith(f".{name}"))
    try:
        network = ip_network(rule.strip("[]"), strict=False)
    except ValueError:
        return False
    return address.version == network.version and address in network
