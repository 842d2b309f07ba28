"""What goes wrong in a data centre, on demand. Every function takes the lab and one of its machines."""

import re
import shlex

from sealab import machines_state, network
from sealab.errors import LabError
from sealab.machines import Lab, Machine
from sealab.machines_command import run
from sealab.machines_creation import boot
from sealab.machines_disk import fill_disk as _fill
from sealab.machines_disk import free_disk as _free
from sealab.machines_kinds import kind_of
from sealab.machines_locks import lab_lock
from sealab.ssh_access import wait_for_sshd


def cut(lab: Lab, machine: Machine) -> None:
    """Pull the cable at the switch: packets vanish, the machine itself sees its link up."""
    run("ip", "link", "set", _cable(lab, machine), "nomaster", lab=lab.name)


def heal(lab: Lab, machine: Machine) -> None:
    """Undo `cut`."""
    run("ip", "link", "set", _cable(lab, machine), "master", lab.layout.bridge, lab=lab.name)


def throttle(lab: Lab, machine: Machine, rate: str) -> None:
    """Limit a machine's link in both directions; `rate` as tc(8) spells it: 10mbit, 500kbit."""
    if not re.fullmatch(r"[0-9.]+[kmg]?(bit|bps)", rate):
        raise LabError(f"throttling {machine.name}: {rate!r} is no rate; write 10mbit, 500kbit or 1gbit")
    limit = ["root", "tbf", "rate", rate, "burst", "64kb", "latency", "100ms"]
    run("tc", "qdisc", "replace", "dev", _cable(lab, machine), *limit, lab=lab.name)
    machine.exec(f"tc qdisc replace dev eth0 {' '.join(limit)}")


def unthrottle(lab: Lab, machine: Machine) -> None:
    """Undo `throttle`."""
    run("tc", "qdisc", "del", "dev", _cable(lab, machine), "root", lab=lab.name)
    machine.exec("tc qdisc del dev eth0 root")


def power_off(lab: Lab, machine: Machine) -> None:
    """Pull the plug: all processes and all memory are gone at once, the disk stays."""
    kind_of(machine.record).stop(lab.layout, machine.record)


def power_on(lab: Lab, machine: Machine) -> None:
    """Boot a machine that is off; returns when its sshd answers."""
    if machine.status not in ("off", "stopped"):
        raise LabError(f"powering on {machine.name}: it is {machine.status}")
    kind_of(machine.record).stop(lab.layout, machine.record)
    boot(lab.layout, machine.record, lab.state.network)
    _save(lab, machine)


def reboot(lab: Lab, machine: Machine) -> None:
    """Off and on again. /etc/hosts is written anew where the machine was made with `cloud_hosts`."""
    power_off(lab, machine)
    power_on(lab, machine)


def pause(lab: Lab, machine: Machine) -> None:
    """Freeze a machine: it keeps its connections and answers nothing, like a stalled hypervisor."""
    kind_of(machine.record).pause(lab.layout, machine.record)


def resume(lab: Lab, machine: Machine) -> None:
    """Undo `pause`."""
    kind_of(machine.record).resume(lab.layout, machine.record)


def fill_disk(lab: Lab, machine: Machine, leave: int = 0) -> None:
    """Fill the machine's disk but for `leave` bytes; other machines' disks are their own."""
    if machine.record.kind == "vm":
        raise LabError(f"filling the disk of {machine.name}: the host cannot reach into a virtual machine's disk")
    _fill(lab.layout, machine.name, leave)


def free_disk(lab: Lab, machine: Machine) -> None:
    """Undo `fill_disk`."""
    _free(lab.layout, machine.name)


def change_host_key(lab: Lab, machine: Machine) -> None:
    """Give the machine new ssh host keys, as a reinstallation or an impostor would; lab.json follows."""
    made = machine.exec(
        "rm -f /etc/ssh/ssh_host_* && ssh-keygen -A > /dev/null && systemctl restart ssh && cat /etc/ssh/ssh_host_*_key.pub"
    )
    machine.host_keys[:] = sorted(" ".join(line.split()[:2]) for line in made.stdout.decode().splitlines())
    wait_for_sshd(machine.address, machine.port, 30)
    _save(lab, machine)


def kill_sshd(lab: Lab, machine: Machine) -> None:
    """End sshd and every session of it; nothing starts it again but `start_sshd` or a boot."""
    machine.exec("systemctl stop ssh; for i in $(seq 100); do pkill -KILL -x sshd || exit 0; sleep 0.1; done; exit 1")


def start_sshd(lab: Lab, machine: Machine) -> None:
    """Undo `kill_sshd`."""
    machine.exec("systemctl start ssh")
    wait_for_sshd(machine.address, machine.port, 30)


def skew_clock(lab: Lab, machine: Machine, seconds: int) -> None:
    """Move what `date` says, whoever calls it; 0 puts it right. The kernel's clock is the host's and stays."""
    if seconds:
        machine.exec(
            f"echo {seconds} > /etc/machine-clock-skew"
            " && { test -e /usr/bin/date.real || mv /usr/bin/date /usr/bin/date.real; }"
            " && cp /usr/local/lib/machine/skewed-date /usr/bin/date"
        )
    else:
        machine.exec("rm -f /etc/machine-clock-skew; ! test -e /usr/bin/date.real || mv /usr/bin/date.real /usr/bin/date")


def set_machine_id(lab: Lab, machine: Machine, machine_id: str) -> None:
    """Change what /etc/machine-id says: a clone of another machine, or a reinstallation."""
    if not re.fullmatch(r"[0-9a-f]{32}", machine_id):
        raise LabError(f"changing the machine-id of {machine.name}: {machine_id!r} is not 32 hex digits")
    machine.exec(f"echo {machine_id} > /etc/machine-id")
    machine.machine_id = machine.record.machine_id = machine_id
    _save(lab, machine)


def set_hostname(lab: Lab, machine: Machine, hostname: str) -> None:
    """Change the hostname, now and for the next boot."""
    quoted = shlex.quote(hostname)
    machine.exec(f"hostname {quoted} && echo {quoted} > /etc/hostname")
    machine.record.hostname = hostname
    _save(lab, machine)


def _cable(lab: Lab, machine: Machine) -> str:
    name = lab.layout.link(machine.record.index)
    if not network.interface_exists(name):
        raise LabError(f"changing the link of {machine.name}: it is off")
    return name


def _save(lab: Lab, machine: Machine) -> None:
    """Into lab.json as it is now: another process may have added machines since this one read it."""
    with lab_lock(lab.layout):
        state = machines_state.load(lab.layout)
        state.machines[machine.name] = machine.record
        machines_state.save(lab.layout, state)
