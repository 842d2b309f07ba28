"""Reading what Linux says of itself."""

import pytest

from sealcluster.core.facts import Disk
from sealcluster.host import machine


@pytest.mark.parametrize(("said", "meant"), [("x86_64", "amd64"), ("aarch64", "arm64"), ("mips", "mips")])
def test_architectures(said, meant):
    assert machine.oci_arch(said) == meant


def test_os_release():
    assert machine.os_release('NAME="Debian GNU/Linux"\nID=debian\n# c\nVERSION_ID="12"\nBROKEN="x\n')["VERSION_ID"] == "12"


@pytest.mark.parametrize(
    ("said", "meant"), [("1700000000.25", 1700000000.25), ("1700000000.%N", 1700000000.0), ("1700000000", 1700000000.0)]
)
def test_the_time_of_any_date(said, meant):
    assert machine.timestamp(said) == meant


@pytest.mark.parametrize(("said", "meant"), [("systemd 252 (252.38-1~deb12u1)", 252), ("systemd 257.3", 257), ("", 0), ("nonsense", 0)])
def test_systemd_version(said, meant):
    assert machine.systemd_version(said) == meant


def test_disks_go_by_what_was_asked_not_by_mount_point():
    lines = [
        "Filesystem 1024-blocks Used Available Capacity Mounted on",
        "/dev/sda1 10485760 1048576 8388608 12% /",
        "/dev/sda1 10485760 1048576 8388608 12% /",
    ]
    assert machine.disks(lines) == {"/": Disk(10240, 8192), "/var/lib": Disk(10240, 8192)}


def test_addresses_from_ip():
    lines = [
        "1: lo    inet 127.0.0.1/8 scope host lo",
        "2: eth0    inet 10.0.0.5/24 brd 10.0.0.255 scope global eth0",
        "2: eth0    inet6 fe80::1/64 scope link",
        "2: eth0    inet6 fd00::5/64 scope global",
    ]
    assert machine.addresses(lines) == {"10.0.0.5", "fd00::5"}


def test_addresses_without_ip():
    assert machine.addresses(["fib 10.0.0.5", "fib 127.0.0.1", "fib nonsense"]) == {"10.0.0.5"}


ROUTES = [
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT",
    "eth0\t00000000\t0103420A\t0003\t0\t0\t0\t00000000\t0\t0\t0",
    "eth0\t0003420A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
    "cni0\t00F40A0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
]


def test_routes_without_the_default_route():
    assert machine.routes(ROUTES) == ("10.66.3.0/24", "10.10.244.0/24")


def test_the_mtu_is_that_of_the_default_route():
    lines = ["/sys/class/net/cni0/mtu 1400", "/sys/class/net/eth0/mtu 1500", "/sys/class/net/lo/mtu 65536"]
    assert machine.mtu(lines, ROUTES) == 1500
    assert machine.mtu(lines, []) == 1400
    assert machine.mtu([], []) == 0


def test_ports_are_hexadecimal():
    assert machine.ports(["0016", "1388", "0016"]) == {22, 5000}


def test_units_go_by_the_names_that_were_asked_for():
    content = (
        "Id=kubelet.service\nLoadState=loaded\nActiveState=active\n\n"
        "Id=registry.service\nLoadState=not-found\nActiveState=inactive\n\n"
        "Id=x.mount\nLoadState=loaded\nActiveState=failed"
    )
    assert machine.units(content, ("kubelet", "registry", "x.mount")) == {"kubelet": "active", "x.mount": "failed"}
