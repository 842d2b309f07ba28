"""Addresses that mean the operator's own machine or its cloud's metadata service: nobody's registry, whoever may name one."""

from __future__ import annotations

import ipaddress
import socket

from aiohttp import AddrInfoType

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class OwnMachine(OSError):
    """A connection that was not opened."""

    def __init__(self) -> None:
        super().__init__("an address of the operator's own machine")  # the same words each time: of equal errors aiohttp raises the first


def is_own_machine(host: str) -> bool:
    """True for a host of a URL, in whichever spelling; a name is looked up by nobody here (`open_elsewhere` sees what it leads to)."""
    host = host.strip("[]").partition("%")[0].rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return _meant(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return _meant(ipaddress.IPv4Address(socket.inet_aton(host)))  # 127.1, 0x7f000001, 2130706433: to the resolver they are addresses
    except (OSError, ValueError):
        return False


def open_elsewhere(info: AddrInfoType) -> socket.socket:
    """The socket for a connection to an address that a name was resolved to; OwnMachine when that is this machine."""
    family, kind, protocol, _, address = info
    if is_own_machine(str(address[0])):
        raise OwnMachine
    return socket.socket(family, kind, protocol)


def _meant(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return _meant(inner)
    return address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast
