"""What goes wrong in a data centre, on demand, and how each of it is mended."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import pytest

from labkit.machines import Machines
from sealab import machines_sysctls, paths
from sealab.errors import LabError
from sealab.machines import Lab, Machine, MachineSpec, leftovers, take_down
from sealab.ssh_access import wait_for_sshd

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def lab(module_machines: Machines) -> Iterator[Lab]:
    yield module_machines(MachineSpec("m1", cloud_hosts=True), MachineSpec("m2", user="ops"))


def answers(machine: Machine) -> bool:
    with suppress(LabError):
        wait_for_sshd(machine.address, machine.port, 1.5)
        return True
    return False


def test_a_cut_link_swallows_everything_until_it_is_healed(lab: Lab, fault: ModuleType) -> None:
    machine = lab.machines["m1"]
    fault.cut(lab, machine)
    assert not answers(machine)
    assert machine.exec("cat /sys/class/net/eth0/carrier").stdout == b"1\n"
    fault.heal(lab, machine)
    assert answers(machine)


def test_a_throttled_link_is_slow_both_ways(lab: Lab, fault: ModuleType) -> None:
    machine = lab.machines["m1"]

    def seconds() -> tuple[float, float]:
        began = time.monotonic()
        machine.ssh("cat > /dev/null", input=bytes(1_500_000))
        between = time.monotonic()
        assert len(machine.ssh("head -c 1500000 /dev/zero").stdout) == 1_500_000
        return between - began, time.monotonic() - between

    fault.throttle(lab, machine, "8mbit")
    assert min(seconds()) > 1.2
    fault.unthrottle(lab, machine)
    assert max(seconds()) < 1.2


def test_power_off_keeps_the_disk_and_nothing_else(lab: Lab, fault: ModuleType) -> None:
    machine = lab.machines["m1"]
    keys = list(machine.host_keys)
    machine.exec("echo kept > /root/kept; echo kept > /var/lib/kept; echo lost > /run/lost; echo 192.0.2.9 x >> /etc/hosts")
    boot = machine.exec("cat /proc/sys/kernel/random/boot_id").stdout
    fault.power_off(lab, machine)
    assert machine.status == "off"
    assert not answers(machine)
    fault.power_on(lab, machine)
    assert machine.ssh("cat /root/kept /var/lib/kept; ls /run/lost", check=False).stdout == b"kept\nkept\n"
    assert machine.host_keys == keys
    assert machine.exec("cat /proc/sys/kernel/random/boot_id").stdout != boot
    assert b"192.0.2.9" not in machine.exec("cat /etc/hosts").stdout  # as cloud-init does


def test_hosts_entries_survive_a_reboot_where_nothing_manages_them(lab: Lab, fault: ModuleType) -> None:
    machine = lab.machines["m2"]
    machine.exec("echo 192.0.2.9 x >> /etc/hosts")
    began = time.monotonic()
    fault.reboot(lab, machine)
    assert time.monotonic() - began < 30
    assert b"192.0.2.9" in machine.exec("cat /etc/hosts").stdout
    assert b"eth0" in machine.exec("ip route show default").stdout


def test_a_machine_that_shut_itself_down_can_be_powered_on(lab: Lab, fault: ModuleType) -> None:
    machine = lab.machines["m2"]
    machine.exec("systemctl poweroff --force --force", check=False)
    deadline = time.monotonic() + 20
    while machine.status == "running":
        assert time.monotonic() < deadline
    fault.power_on(lab, machine)
    assert machine.ssh("id -un").stdout == b"ops\n"


def test_a_paused_machine_holds_its_connections_and_says_nothing(lab: Lab, fault: ModuleType) -> None:
    machine = lab.machines["m1"]
    fault.pause(lab, machine)
    assert machine.status == "paused"
    assert not answers(machine)
    fault.resume(lab, machine)
    assert answers(machine)


def test_a_full_disk_is_one_machines(lab: Lab, fault: ModuleType) -> None:
    full, other = lab.machines["m1"], lab.machines["m2"]
    write = "head -c 100000 /dev/urandom > /root/y && head -c 100000 /dev/urandom > /var/lib/y"
    fault.fill_disk(lab, full)
    assert b"No space left" in full.exec(write, check=False).stderr
    other.exec(write)
    fault.free_disk(lab, full)
    full.exec(write)


def test_a_changed_host_key_is_noticed_by_who_remembers_the_old_one(lab: Lab, fault: ModuleType, tmp_path: Path) -> None:
    machine = lab.machines["m1"]
    before = list(machine.host_keys)
    fault.change_host_key(lab, machine)
    assert not set(before) & set(machine.host_keys)
    assert Lab.load(lab.name).machines["m1"].host_keys == machine.host_keys
    machine.ssh("true")  # whose known_hosts follow lab.json
    remembered = tmp_path / "known_hosts"
    remembered.write_text("".join(f"{machine.address} {key}\n" for key in before))
    options = [word.replace(str(machine.layout.machine_run("m1") / "known_hosts"), str(remembered)) for word in machine.ssh_options]
    login = subprocess.run(["ssh", *options, machine.address, "true"], capture_output=True, check=False)
    assert login.returncode == 255
    assert b"Host key verification failed" in login.stderr


def test_a_killed_sshd_ends_its_sessions(lab: Lab, fault: ModuleType) -> None:
    machine = lab.machines["m1"]
    fault.kill_sshd(lab, machine)
    assert not answers(machine)
    assert machine.exec("pgrep -x sshd", check=False).stdout == b""
    fault.start_sshd(lab, machine)
    assert answers(machine)


def test_a_skewed_clock_is_what_date_says_to_everybody(lab: Lab, fault: ModuleType) -> None:
    machine = lab.machines["m2"]
    fault.skew_clock(lab, machine, -7200)
    for command in ("date +%s", "/bin/date +%s", "sudo date +%s", "sh -c 'date +%s'", "date -u +%s.%N"):
        assert float(machine.ssh(command).stdout) == pytest.approx(time.time() - 7200, abs=5), command
    assert machine.ssh("date -u -d @0 +%F").stdout == b"1970-01-01\n"
    fault.skew_clock(lab, machine, 7200)
    assert float(machine.ssh("date +%s").stdout) == pytest.approx(time.time() + 7200, abs=5)
    fault.skew_clock(lab, machine, 0)
    assert float(machine.ssh("date +%s").stdout) == pytest.approx(time.time(), abs=5)


def test_a_clone_has_the_same_machine_id_and_hostname(lab: Lab, fault: ModuleType) -> None:
    one, two = lab.machines["m1"], lab.machines["m2"]
    fault.set_machine_id(lab, two, one.machine_id)
    fault.set_hostname(lab, two, "m1")
    assert two.ssh("hostname; cat /etc/machine-id").stdout.decode().split() == ["m1", one.machine_id]


def test_the_hosts_settings_come_back_with_the_last_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lab: Lab) -> None:
    setting = Path("/proc/sys/vm/max_map_count")
    before = setting.read_text()
    with monkeypatch.context() as patch:
        patch.setattr(paths, "RUN", tmp_path)  # other labs may be up, and theirs is not to be touched
        machines_sysctls.remember()
    lab.machines["m1"].exec("sysctl -w vm.max_map_count=70001")
    assert setting.read_text() == "70001\n"
    monkeypatch.setattr(paths, "RUN", tmp_path)
    (tmp_path / "still-up").mkdir()
    (tmp_path / "still-up/lab.json").touch()
    assert machines_sysctls.restore_after_last_lab() == []
    (tmp_path / "still-up/lab.json").unlink()
    assert "vm.max_map_count" in machines_sysctls.restore_after_last_lab()
    assert setting.read_text() == before


def test_a_lab_whose_owner_died_is_a_leftover() -> None:
    name = "t0-leftover"
    dead_process = 4_194_300
    try:
        Lab.up(name, [MachineSpec("m1")], owner_pid=dead_process)
        assert name in leftovers()
    finally:
        take_down(name)
