"""Checks of the host list that need all of it, or more than a pattern."""

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterator

from sealcluster.api.conditions import Reason
from sealcluster.api.field_errors import FieldError
from sealcluster.api.hosts import Host
from sealcluster.api.network import LoadBalancer
from sealcluster.api.scalars import DNS_NAME_PATTERN
from sealcluster.api.spec import SealClusterSpec
from sealcluster.api.validation_env import env_errors

_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_MANAGED_LABELS = {"kubernetes.io/hostname", "kubernetes.io/os", "kubernetes.io/arch", "node-role.kubernetes.io/control-plane"}


def host_errors(spec: SealClusterSpec) -> Iterator[FieldError]:
    """Everything that is wrong with the hosts."""
    yield from _duplicates(spec)
    subnets = [
        ("spec.network.podSubnet", ipaddress.IPv4Network(spec.network.pod_subnet)),
        ("spec.network.serviceSubnet", ipaddress.IPv4Network(spec.network.service_subnet)),
    ]
    own_vip = spec.endpoint.load_balancer is not LoadBalancer.EXTERNAL
    for index, host in enumerate(spec.hosts):
        path = f"spec.hosts[{index}]"
        for field, address in _addresses(host):
            for name, subnet in subnets:
                if ipaddress.IPv4Address(address) in subnet:
                    yield FieldError(f"{path}.{field}", f"{address} of host {host.name} lies inside {name}: choose another network there")
            if own_vip and address == spec.endpoint.vip:
                yield FieldError(
                    f"{path}.{field}", f"{address} of host {host.name} is also spec.endpoint.vip: choose another virtual address"
                )
        yield from env_errors(host.env, f"{path}.env")
        yield from _label_errors(host, path)
        yield from _taint_errors(host, path)


def _addresses(host: Host) -> Iterator[tuple[str, str]]:
    yield "address", host.address
    if host.node_ip and host.node_ip != host.address:
        yield "nodeIP", host.node_ip


def _duplicates(spec: SealClusterSpec) -> Iterator[FieldError]:
    owners: dict[str, list[str]] = defaultdict(list)
    for index, host in enumerate(spec.hosts):
        for field, address in _addresses(host):
            if owners[address]:
                first = owners[address][0]
                yield FieldError(
                    f"spec.hosts[{index}].{field}",
                    f"{address} of host {host.name} is also the address of host {first}: give each host its own",
                    Reason.DUPLICATE_ADDRESS,
                )
            owners[address].append(host.name)


def qualified(name: str) -> bool:
    """True for the key of a label or taint: an optional DNS prefix, a slash, a name of at most 63 characters."""
    prefix, slash, rest = name.rpartition("/")
    if slash and not (len(prefix) <= 253 and re.fullmatch(DNS_NAME_PATTERN, prefix)):
        return False
    return _NAME.fullmatch(rest) is not None


def _label_errors(host: Host, path: str) -> Iterator[FieldError]:
    for key, value in host.labels.items():
        field = f"{path}.labels[{key}]"
        if not qualified(key):
            yield FieldError(field, "is not the key of a label: want [prefix/]name of letters, digits, '-', '_' and '.'")
        elif key in _MANAGED_LABELS:
            yield FieldError(field, "is set by Kubernetes itself: remove it")
        if value and not _NAME.fullmatch(value):
            yield FieldError(field, "is not the value of a label: want at most 63 letters, digits, '-', '_' and '.'")


def _taint_errors(host: Host, path: str) -> Iterator[FieldError]:
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate(host.taints or ()):
        field = f"{path}.taints[{index}]"
        if not qualified(taint.key):
            yield FieldError(f"{field}.key", "is not the key of a taint: want [prefix/]name of letters, digits, '-', '_' and '.'")
        if taint.value and not _NAME.fullmatch(taint.value):
            yield FieldError(f"{field}.value", "is not the value of a taint: want at most 63 letters, digits, '-', '_' and '.'")
        if (taint.key, taint.effect) in seen:
            yield FieldError(field, f"taint {taint.key} with the effect {taint.effect} is listed twice: remove one")
        seen.add((taint.key, taint.effect))
