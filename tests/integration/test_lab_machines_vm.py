"""A machine as a virtual machine: slow, but with what the host's kernel may lack."""

from collections.abc import Iterator
from types import ModuleType

import pytest

from labkit.machines import Machines
from sealab.machines import Lab, MachineSpec

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def lab(module_machines: Machines) -> Iterator[Lab]:
    yield module_machines(1, MachineSpec("v1", kind="vm", user="ops", sudo="password", memory_mib=1024, disk_gib=2))


def test_has_a_kernel_with_ipvs_netem_and_cgroup_v2(lab: Lab) -> None:
    machine = lab.machines["v1"]
    assert machine.exec("modprobe ip_vs && head -1 /proc/net/ip_vs").stdout.startswith(b"IP Virtual Server")
    machine.exec("tc qdisc add dev lo root netem delay 1ms && tc qdisc del dev lo root")
    assert machine.exec("stat -fc %T /sys/fs/cgroup").stdout == b"cgroup2fs\n"
    assert machine.exec("cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/bridge/bridge-nf-call-iptables").stdout == b"1\n1\n"


def test_is_reached_like_the_others(lab: Lab) -> None:
    container, virtual = lab.machines["m1"], lab.machines["v1"]
    assert virtual.ssh("hostname; cat /etc/machine-id").stdout.decode().split() == ["v1", virtual.machine_id]
    assert virtual.exec("cat; id -un", input=b"given\n").stdout == b"given\nroot\n"
    knock = "timeout 5 bash -c 'head -c4 < /dev/tcp/{}/22'"
    assert container.exec(knock.format(virtual.address)).stdout == b"SSH-"
    assert virtual.exec(knock.format(container.address)).stdout == b"SSH-"


def test_power_and_pause_work_on_it_too(lab: Lab, fault: ModuleType) -> None:
    machine = lab.machines["v1"]
    machine.exec("echo kept > /root/kept; sync")
    boot = machine.exec("cat /proc/sys/kernel/random/boot_id").stdout
    fault.pause(lab, machine)
    assert machine.status == "paused"
    fault.resume(lab, machine)
    assert machine.status == "running"
    fault.power_off(lab, machine)
    assert machine.status == "off"
    fault.power_on(lab, machine)
    assert machine.exec("cat /root/kept").stdout == b"kept\n"
    assert machine.exec("cat /proc/sys/kernel/random/boot_id").stdout != boot
    before = list(machine.host_keys)
    fault.change_host_key(lab, machine)
    assert not set(before) & set(machine.host_keys)
    machine.ssh("true")
