"""Strings and numbers with a shape: the same bounds for pydantic and for the generated CRD.

Patterns are kept to what RE2 (the API server) and Rust's regex (pydantic) read alike. Where a person is likely to write
something that is not supported (IPv6), the bound is loose and a CEL rule with a helpful message decides instead.
"""

import ipaddress
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, Strict, StringConstraints

from sealcluster.api.base import ScalarRule

MAX_HOSTS = 2000
"""More than this does not fit into one object of a management cluster together with its status."""

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
DNS_LABEL_PATTERN = f"^{_LABEL}$"
DNS_NAME_PATTERN = rf"^{_LABEL}(\.{_LABEL})*$"
DURATION_PATTERN = "^[1-9][0-9]{0,4}(y|w|d|h|m|s)$"
SECRET_KEY_PATTERN = "^[-._a-zA-Z0-9]+$"


def is_ipv4(text: str) -> bool:
    """True for a plain dotted IPv4 address."""
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def is_ipv4_network(text: str) -> bool:
    """True for an IPv4 CIDR block without host bits."""
    try:
        return str(ipaddress.IPv4Network(text)) == text
    except ValueError:
        return False


def _checked(holds: Callable[[str], bool], message: str) -> AfterValidator:
    def check(text: str) -> str:
        if not holds(text):
            raise ValueError(message)
        return text

    return AfterValidator(check)


_ADDRESS_MESSAGE = "must be an IPv4 address: IPv6, dual stack and host names are not supported, give the machine's IPv4 address"
_SUBNET_MESSAGE = (
    "must be one IPv4 network such as 100.64.0.0/10, without host bits: "
    "IPv6 and dual stack (a list with a comma) are not supported, give the IPv4 network only"
)

IPv4 = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64),
    _checked(is_ipv4, _ADDRESS_MESSAGE),
    ScalarRule("isIP(self) && ip(self).family() == 4", _ADDRESS_MESSAGE),
]
"""Dotted IPv4 address."""

IPv4Subnet = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64),
    _checked(is_ipv4_network, _SUBNET_MESSAGE),
    ScalarRule("isCIDR(self) && cidr(self).ip().family() == 4 && cidr(self) == cidr(self).masked()", _SUBNET_MESSAGE),
]
"""IPv4 network in CIDR notation."""

DnsLabel = Annotated[str, StringConstraints(pattern=DNS_LABEL_PATTERN, max_length=63)]
"""One label of a DNS name, lower case."""

HostName = Annotated[str, StringConstraints(pattern=DNS_NAME_PATTERN, max_length=63)]
"""Name of a Kubernetes Node; 63 characters because it is also the value of a label."""

DnsName = Annotated[str, StringConstraints(pattern=DNS_NAME_PATTERN, max_length=253)]
"""DNS name, lower case."""

ObjectName = Annotated[str, StringConstraints(pattern=DNS_NAME_PATTERN, max_length=253)]
"""Name of a Secret or ConfigMap in the SealCluster's own namespace."""

SecretKey = Annotated[str, StringConstraints(pattern=SECRET_KEY_PATTERN, max_length=253)]
"""Key inside a Secret or ConfigMap."""

Port = Annotated[int, Strict(), Field(ge=1, le=65535)]
"""TCP port."""

Flag = Annotated[bool, Strict()]
"""True or false, never a word for it."""

Duration = Annotated[str, StringConstraints(pattern=DURATION_PATTERN, max_length=6)]
"""A number and one unit: y (365 days), w, d, h, m or s; read it with `sealcluster.api.duration`."""


def _without_nulls(data: Any) -> Any:
    return {key: value for key, value in data.items() if value is not None} if isinstance(data, Mapping) else data


Env = Annotated[
    Mapping[str, Annotated[str, StringConstraints(max_length=4096)]],
    Field(max_length=64),
    BeforeValidator(_without_nulls),
]
"""Environment variables; a null is absent, as for the API server."""

Labels = Annotated[
    Mapping[str, Annotated[str, StringConstraints(max_length=63)]],
    Field(max_length=64),
    BeforeValidator(_without_nulls),
]
"""Labels of an object; a null is absent, as for the API server."""


def unique(items: Iterable[Hashable]) -> bool:
    """True when no item occurs twice."""
    seen = list(items)
    return len(seen) == len(set(seen))


def unique_by(key: str, wire_key: str) -> tuple[AfterValidator, Any]:
    """Validator and schema marker of a list whose items are told apart by one field (x-kubernetes-list-type: map)."""

    def check(items: tuple[Any, ...]) -> tuple[Any, ...]:
        seen: set[Hashable] = set()
        for item in items:
            value = getattr(item, key)
            if value in seen:
                raise ValueError(f"{wire_key} {value!r} is used twice: each entry needs its own")
            seen.add(value)
        return items

    marker = Field(json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [wire_key]})
    return AfterValidator(check), marker
