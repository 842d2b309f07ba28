"""A lab's network: one bridge with a /24 of its own, one cable (veth pair) per machine, and no way out."""

import hashlib
import ipaddress
import json
import shutil
from pathlib import Path

from sealab import paths
from sealab.errors import LabError
from sealab.machines_command import run
from sealab.machines_layout import Layout

POOL = ipaddress.IPv4Network("10.66.0.0/16")
"""Every lab gets one /24 of this."""

KERNEL_SETTINGS = (
    "net.ipv4.ip_forward=1",
    "net.bridge.bridge-nf-call-iptables=1",
    "net.bridge.bridge-nf-call-ip6tables=1",
)
"""What a machine's own network namespace starts with; Kubernetes expects it."""


def choose_subnet() -> ipaddress.IPv4Network:
    """The first /24 that no lab has taken and the host has no route into. Call it under the global lock."""
    states = paths.RUN.glob("*/lab.json")
    taken = [ipaddress.IPv4Network(json.loads(state.read_text())["subnet"]) for state in states]
    routes = json.loads(run("ip", "-4", "-json", "route", "show", "table", "all").stdout or b"[]")
    taken += [ipaddress.IPv4Network(route["dst"], strict=False) for route in routes if route["dst"] != "default"]
    for subnet in POOL.subnets(new_prefix=24):
        if not any(subnet.overlaps(other) for other in taken):
            return subnet
    raise LabError(f"choosing a network: all of {POOL} is taken by labs or routes of this host; take a lab down")


def bridge_address(subnet: ipaddress.IPv4Network) -> str:
    """The host's own address on a lab's bridge: the machines' gateway, and where a lab's registry listens."""
    return str(subnet[1])


def machine_address(subnet: ipaddress.IPv4Network, index: int) -> str:
    """Machine 1 has .11, so that small numbers stay free for what a test puts on the bridge itself."""
    return str(subnet[10 + index])


def make_bridge(layout: Layout, subnet: ipaddress.IPv4Network) -> None:
    """Create the lab's bridge with the host's address on it, and keep its traffic inside."""
    lab = layout.lab
    run("ip", "link", "add", layout.bridge, "type", "bridge", "forward_delay", "0", lab=lab)
    run("ip", "link", "set", layout.bridge, "alias", f"sealab {lab}", "up", lab=lab)
    run("ip", "addr", "add", f"{bridge_address(subnet)}/{subnet.prefixlen}", "dev", layout.bridge, lab=lab)
    for rule in reversed(_rules(layout.bridge)):
        run("iptables", "-w", "-I", *rule, lab=lab)


def _rules(bridge: str) -> tuple[tuple[str, ...], ...]:
    """Machines see each other and the host also where its firewall drops by default (Docker does that); nothing else passes."""
    return (
        ("FORWARD", "-i", bridge, "-o", bridge, "-j", "ACCEPT"),
        ("FORWARD", "-i", bridge, "-j", "DROP"),
        ("FORWARD", "-o", bridge, "-j", "DROP"),
        ("INPUT", "-i", bridge, "-j", "ACCEPT"),
    )


def plug_in(layout: Layout, index: int, pid: int, address: str, subnet: ipaddress.IPv4Network) -> None:
    """Give the machine whose first process is `pid` its cable, address, routes and kernel settings."""
    lab, cable = layout.lab, layout.link(index)
    peer = ("peer", "name", "eth0", "address", hardware_address(layout, index), "netns", str(pid))
    run("ip", "link", "add", cable, "type", "veth", *peer, lab=lab)
    run("ip", "link", "set", cable, "master", layout.bridge, "up", lab=lab)
    commands = (
        "link set lo up",
        f"addr add {address}/{subnet.prefixlen} broadcast {subnet.broadcast_address} dev eth0",
        "link set eth0 up",
        f"route add default via {bridge_address(subnet)}",
    )
    inside = ("nsenter", "--net", "--target", str(pid))
    run(*inside, "ip", "-batch", "-", input="\n".join(commands).encode(), lab=lab)
    run(*inside, "sysctl", "-q", "-w", *KERNEL_SETTINGS, lab=lab)


def hardware_address(layout: Layout, index: int) -> str:
    """The same after every boot: a new one would stay unreachable until its neighbours forget the old one."""
    digest = hashlib.sha256(f"{layout.lab}/{index}".encode()).digest()
    return ":".join(f"{byte:02x}" for byte in (0x02, *digest[:5]))


def unplug(layout: Layout, index: int) -> None:
    """Remove a machine's cable; a cable that is gone already is fine."""
    if interface_exists(layout.link(index)):
        run("ip", "link", "delete", layout.link(index), lab=layout.lab, check=False)
    if interface_exists(layout.link(index)):
        raise LabError(f"removing {layout.link(index)}: it is still there")


def interface_exists(name: str) -> bool:
    return Path(f"/sys/class/net/{name}").exists()


def remove_network(layout: Layout) -> None:
    """Remove bridge, cables and firewall rules of a lab, whatever of them exists."""
    ours = [link.name for link in Path("/sys/class/net").glob(f"{layout.link_prefix}*")]
    for name in [*ours, layout.bridge]:
        if interface_exists(name):
            run("ip", "link", "delete", name, check=False)
        if interface_exists(name):
            raise LabError(f"removing network interface {name}: it is still there; `ip link delete {name}` says why")
    if shutil.which("iptables") is None:
        return  # no such tool, no such rules
    for line in run("iptables", "-w", "-S").stdout.decode().splitlines():
        words = line.split()
        if layout.bridge in words:
            run("iptables", "-w", "-D", *words[1:])
