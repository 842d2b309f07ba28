"""The lab's machines: real enough that an installer cannot tell, bare, and each its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from labkit.machines import Machines
from sealab import machines_container, paths
from sealab.errors import LabError
from sealab.machines import Lab, MachineSpec, lab_names
from sealab.machines_layout import Layout
from sealab.machines_sysctls import ROOTS

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def lab(module_machines: Machines) -> Iterator[Lab]:
    yield module_machines(
        2,
        MachineSpec("ops", port=2222, user="ops", auth="password"),
        MachineSpec("asks", user="ops", sudo="password", disk_gib=1, cloud_hosts=True),
    )


def text(done: subprocess.CompletedProcess[bytes]) -> str:
    return done.stdout.decode().strip()


def test_five_boot_in_under_30_seconds(machines: Machines) -> None:
    machines(1)  # the root file system is built once, on another day
    began = time.monotonic()
    lab = machines(5)
    took = time.monotonic() - began
    assert took < 30
    assert len({machine.machine_id for machine in lab.machines.values()}) == 5
    assert len({key for machine in lab.machines.values() for key in machine.host_keys}) == 15
    for machine in lab.machines.values():
        assert text(machine.ssh("hostname; cat /etc/machine-id")).split() == [machine.name, machine.machine_id]


def test_systemd_runs_and_so_do_its_jobs(lab: Lab) -> None:
    machine = lab.machines["m1"]
    assert text(machine.exec("systemctl is-system-running --wait", check=False)) == "running"
    assert text(machine.exec("ps -o comm= -p 1")) == "systemd"
    assert text(machine.ssh("systemd-run --quiet --wait --pipe sh -c 'cat /proc/self/cgroup; echo done'")).endswith("done")


def test_is_bare(lab: Lab) -> None:
    found = lab.machines["m1"].exec("which containerd dockerd kubelet kubeadm kubectl runc crictl", check=False)
    assert found.stdout == b""


def test_has_what_kubernetes_needs_of_a_computer(lab: Lab) -> None:
    machine = lab.machines["m1"]
    assert text(machine.exec("cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/bridge/bridge-nf-call-iptables")) == "1\n1"
    machine.exec("test -c /dev/kmsg && head -c0 /dev/kmsg && modprobe br_netfilter && modprobe overlay")
    assert f"default via {lab.bridge_address} dev eth0" in text(machine.exec("ip route"))
    assert text(machine.exec("findmnt -no PROPAGATION /")) == "shared"
    machine.exec(
        "cd $(mktemp -d -p /var/lib) && mkdir lower upper work merged && echo below > lower/file"
        " && mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work o merged"
        " && grep below merged/file && umount merged && rm -rf $PWD"
    )
    machine.exec("iptables -t nat -A POSTROUTING -j MASQUERADE && iptables -t nat -F && nft list ruleset")


def test_an_unknown_name_is_refused_at_once(lab: Lab) -> None:
    began = time.monotonic()
    for _ in range(20):
        assert lab.machines["m1"].exec("getent hosts absent.example", check=False).returncode == 2
    assert time.monotonic() - began < 10


def test_password_sudo_and_port_are_as_asked_for(lab: Lab) -> None:
    ops, asks = lab.machines["ops"], lab.machines["asks"]
    assert text(ops.ssh("id -un; sudo -n id -un")) == "ops\nroot"
    assert ops.exec("test -e /home/ops/.ssh/authorized_keys", check=False).returncode == 1
    assert asks.ssh("sudo -n true", check=False).returncode == 1
    assert text(asks.ssh("sudo -S -p '' id -un", input=f"{asks.password}\n".encode())) == "root"
    as_root = ["ssh", *asks.ssh_options, "-o", "BatchMode=yes", "-l", "root", asks.address, "true"]
    as_root = [word.replace("User=ops", "User=root") for word in as_root]
    assert b"Permission denied" in subprocess.run(as_root, capture_output=True, check=False).stderr


def test_machines_reach_each_other_and_nothing_outside(lab: Lab, machines: Machines) -> None:
    one, two = lab.machines["m1"], lab.machines["m2"]
    knock = "timeout 2 bash -c 'head -c4 < /dev/tcp/{}/{}'"
    assert one.exec(knock.format(two.address, 22)).stdout == b"SSH-"
    elsewhere = machines(1).machines["m1"]
    assert one.exec(knock.format(elsewhere.address, 22), check=False).returncode == 124


def test_a_disk_is_capped_and_the_machines_own(lab: Lab) -> None:
    small, other = lab.machines["asks"], lab.machines["m1"]
    assert int(text(small.exec("df --output=size -B1M / | tail -1"))) < 1024
    small.exec("head -c 2G /dev/zero > /root/big", check=False)
    assert small.exec("echo x > /var/lib/y", check=False).returncode != 0
    other.exec("head -c 1M /dev/zero > /root/fine && rm /root/fine")
    small.exec("rm /root/big && echo x > /var/lib/y")


def test_what_a_machine_sets_on_the_host_is_undone_in_the_end(lab: Lab) -> None:
    assert (paths.RUN / "host-sysctls.json").exists()
    remembered = json.loads((paths.RUN / "host-sysctls.json").read_text())
    assert {name.split("/")[0] for name in remembered} == set(ROOTS)


def test_the_description_holds_what_a_login_needs(lab: Lab) -> None:
    argv = [sys.executable, "-m", "sealab", "list", "--name", lab.name, "-o", "json"]
    printed = subprocess.run(argv, env={"PYTHONPATH": str(paths.SOURCE)}, capture_output=True, check=True).stdout
    machine = json.loads(printed)[lab.name]["machines"][2]
    assert machine["name"] == "ops"
    assert (machine["port"], machine["user"], machine["password"]) == (2222, "ops", lab.machines["ops"].password)
    assert machine["hostKeys"] == lab.machines["ops"].host_keys
    assert machine["machineID"] == lab.machines["ops"].machine_id


def test_a_lab_can_grow_and_be_loaded(lab: Lab) -> None:
    lab.add([MachineSpec("late")])
    assert Lab.load(lab.name).machines["late"].ssh("hostname").stdout == b"late\n"
    with pytest.raises(LabError, match="has one of that name"):
        lab.add([MachineSpec("late")])


def test_a_lab_of_the_same_name_is_refused(lab: Lab) -> None:
    with pytest.raises(LabError, match="it is there already"):
        Lab.up(lab.name, [MachineSpec("m1")])
    lab.machines["m1"].exec("true")


@pytest.mark.parametrize(
    "wrong",
    [{"name": "M1"}, {"name": "../x"}, {"name": "a", "port": 0}, {"name": "a", "machine_id": "xyz"}, {"name": "a", "address": "999.1.1.1"}],
)
def test_a_wrong_specification_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(LabError):
        MachineSpec(**wrong)  # type: ignore[arg-type] # that is the test


def test_a_failed_boot_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines_container, "BOOT_PATIENCE", 0.0)
    name = f"failing-{os.getpid()}"
    with pytest.raises(LabError, match="booting machine m1: waiting for sshd"):
        Lab.up(name, [MachineSpec("m1")])
    layout = Layout(name)
    assert not layout.run.exists()
    assert not layout.data.exists()
    assert name not in lab_names()


def test_an_address_outside_the_labs_network_is_refused(lab: Lab) -> None:
    with pytest.raises(LabError, match="outside the lab's network"):
        lab.add([MachineSpec("stray", address="192.0.2.7")])
