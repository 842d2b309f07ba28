"""Reading what Linux says of itself: pure functions over the lines of the facts script."""

from __future__ import annotations

import ipaddress
import shlex

from sealcluster.core.facts import Disk
from sealcluster.host.numbers import number

_ARCH = {"x86_64": "amd64", "aarch64": "arm64", "armv8l": "arm64", "ppc64le": "ppc64le", "s390x": "s390x", "riscv64": "riscv64"}


def oci_arch(machine: str) -> str:
    """``uname -m`` in OCI's words; an unknown one as it is."""
    return _ARCH.get(machine, machine)


def integer(value: str) -> int:
    """The number, 0 where there is none."""
    return number(value.strip()) or 0


def timestamp(value: str) -> float:
    """``date +%s.%N``; a date without %N prints the letters."""
    whole, _, fraction = value.strip().partition(".")
    return float(f"{integer(whole)}.{fraction if number(fraction) is not None else 0}")


def os_release(content: str) -> dict[str, str]:
    """os-release as a mapping."""
    found: dict[str, str] = {}
    for line in content.splitlines():
        name, equals, value = line.partition("=")
        if equals and not name.startswith("#"):
            try:
                found[name.strip()] = "".join(shlex.split(value))
            except ValueError:
                found[name.strip()] = value
    return found


def memory(lines: list[str]) -> dict[str, int]:
    """KiB by name."""
    rows = (line.partition(":") for line in lines)
    return {name: integer(rest.split()[0]) for name, _, rest in rows if rest.split()}


def systemd_version(line: str) -> int:
    """``systemd 252 (252.38-1)`` → 252."""
    words = line.split()
    return integer(words[1].partition(".")[0].partition("-")[0]) if len(words) > 1 else 0


def disks(lines: list[str]) -> dict[str, Disk]:
    """The rows of ``df -P -k / /var/lib``, by what was asked for (the rows come in that order, the mount points are other paths)."""
    rows = [line.split() for line in lines if line.split()[1:2] and number(line.split()[1]) is not None]
    found = zip(("/", "/var/lib"), rows, strict=False)
    return {path: Disk(integer(row[1]) // 1024, integer(row[3]) // 1024) for path, row in found if len(row) > 3}


def addresses(lines: list[str]) -> frozenset[str]:
    """Addresses of the interfaces (``ip -o addr show``, or our lines from fib_trie), loopback and link-local left out."""
    found = set()
    for line in lines:
        words = line.split()
        for key in ("inet", "inet6", "fib"):
            if key in words[:-1]:
                try:
                    address = ipaddress.ip_address(words[words.index(key) + 1].partition("/")[0])
                except ValueError:
                    continue
                if not (address.is_loopback or address.is_link_local):
                    found.add(str(address))
    return frozenset(found)


def _route(line: str) -> tuple[str, ipaddress.IPv4Network] | None:
    words = line.split()
    try:
        base, mask = (int.from_bytes(bytes.fromhex(word), "little") for word in (words[1], words[7]))
        return words[0], ipaddress.IPv4Network((base, mask.bit_count()))
    except (ValueError, IndexError):
        return None


def routes(lines: list[str]) -> tuple[str, ...]:
    """/proc/net/route as CIDRs, the default route left out."""
    parsed = (_route(line) for line in lines)
    return tuple(dict.fromkeys(str(route[1]) for route in parsed if route and route[1].prefixlen))


def mtu(lines: list[str], route_lines: list[str]) -> int:
    """MTU of the default route's interface; without a default route the smallest of the real ones; 0: unknown."""
    by_name: dict[str, int] = {}
    for line in lines:
        path, _, value = line.rpartition(" ")
        by_name[path.split("/")[-2]] = integer(value)
    by_name.pop("lo", None)
    for line in route_lines:
        route = _route(line)
        if route and route[1].prefixlen == 0 and route[0] in by_name:
            return by_name[route[0]]
    return min(by_name.values(), default=0)


def ports(lines: list[str]) -> frozenset[int]:
    """Hexadecimal port numbers."""
    return frozenset(int(line, 16) for line in lines if line.strip())


def units(content: str, asked: tuple[str, ...]) -> dict[str, str]:
    """``systemctl show`` blocks → ActiveState by the names that were asked for."""
    found: dict[str, str] = {}
    for block in content.split("\n\n"):
        values = dict(line.partition("=")[::2] for line in block.splitlines())
        if values.get("LoadState") not in (None, "not-found"):
            name = values.get("Id", "")
            short = name.removesuffix(".service")
            found[short if short in asked else name] = values.get("ActiveState", "")
    return found
