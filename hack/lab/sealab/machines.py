"""Labs of nested machines: `Lab.up`, `Lab.load`, `lab.add`, `lab.down`, and each `Machine` of them."""

import contextlib
import os
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from sealab import machines_state, machines_sysctls, network, paths
from sealab.cleanup import sweep
from sealab.cleanup_processes import wait_until_reaped
from sealab.errors import LabError
from sealab.machines_command import last_words
from sealab.machines_creation import create, record_for
from sealab.machines_kinds import kind_of
from sealab.machines_layout import Layout
from sealab.machines_locks import abandoned_locks, global_lock, lab_lock
from sealab.machines_requirements import Report, require_everything
from sealab.machines_spec import MachineRecord, MachineSpec, checked_name
from sealab.machines_state import LabState
from sealab.rootfs import ensure_rootfs
from sealab.rootfs_vm import ensure_kernel
from sealab.ssh_access import make_key, ssh_command, ssh_environment, ssh_options

__all__ = ["Lab", "Machine", "MachineRecord", "MachineSpec"]


def _silent(_: str) -> None:
    pass


@dataclass
class Machine:
    """One running (or switched off) machine of a lab."""

    name: str
    address: str
    port: int
    user: str
    password: str = field(repr=False)
    key: Path
    """The lab's private key; not authorised on a machine with auth `password`."""
    machine_id: str
    host_keys: list[str]
    """Public keys as `type base64`."""
    layout: Layout = field(repr=False)
    record: MachineRecord = field(repr=False)

    @property
    def pid(self) -> int:
        """The host's process id of its PID 1 (of qemu for a virtual machine); for `nsenter`. LabError when it is off."""
        return kind_of(self.record).first_process(self.layout, self.record)

    @property
    def rootfs(self) -> Path:
        """Its root as the host sees it (without what it mounts itself); empty while it is off, or a virtual machine."""
        return self.layout.rootfs(self.name)

    @property
    def status(self) -> str:
        """`running`, `paused`, `stopped` or `off`."""
        return kind_of(self.record).status(self.layout, self.record)

    def exec(self, command: str, *, input: bytes = b"", check: bool = True, timeout: float = 120) -> subprocess.CompletedProcess[bytes]:
        """Run a shell command as root inside, past sshd and network: it works while both are broken.

        Into a virtual machine there is no way but ssh.
        """
        done = kind_of(self.record).execute(self.layout, self.record, command, input=input, timeout=timeout)
        if check and done.returncode:
            raise LabError(f"running {command[:80]!r} in {self.name}: exit code {done.returncode}: {last_words(done)}")
        return done

    def ssh(self, *command: str, input: bytes = b"", check: bool = True, timeout: float = 120) -> subprocess.CompletedProcess[bytes]:
        """Run a command over OpenSSH as the machine's user, with the login it was made with."""
        environment = {**os.environ, **ssh_environment(self.layout, self.record)}
        argv = ssh_command(self.layout, self.record, *command)
        done = subprocess.run(argv, input=input, capture_output=True, env=environment, timeout=timeout, check=False)
        if check and done.returncode:
            raise LabError(f"running ssh {self.name}: exit code {done.returncode}: {last_words(done)}")
        return done

    @property
    def ssh_options(self) -> list[str]:
        """`-o` options for ssh, scp and rsync."""
        return ssh_options(self.layout, self.record)


@dataclass
class Lab:
    """A named group of machines on a bridge of their own."""

    layout: Layout = field(repr=False)
    state: LabState = field(repr=False)
    name: str
    machines: dict[str, Machine]
    bridge_address: str
    """The host's address on the lab's bridge."""

    @classmethod
    def up(cls, name: str, specs: Sequence[MachineSpec], *, owner_pid: int = 0, report: Report = _silent) -> Self:
        """Boot machines until every sshd answers; on any failure nothing is left behind.

        `owner_pid`: a process after whose end the lab counts as a leftover (see `leftovers`); 0 means never.
        """
        layout = Layout(checked_name("lab", name))
        require_everything(report)
        with lab_lock(layout):
            if layout.state.exists():
                raise LabError(f"starting lab {name}: it is there already; take it down first (sealab down --name {name})")
            try:
                sweep(layout)
                state = _claim(layout, owner_pid)
                make_key(layout)
                network.make_bridge(layout, state.network)
                _add(layout, state, specs, report)
            except BaseException:
                _remove(layout)
                raise
        return cls._of(layout, state)

    @classmethod
    def load(cls, name: str) -> Self:
        """A lab that is up; LabError when there is none of that name."""
        layout = Layout(checked_name("lab", name))
        return cls._of(layout, machines_state.load(layout))

    @classmethod
    def _of(cls, layout: Layout, state: LabState) -> Self:
        machines = {name: _machine(layout, record) for name, record in state.machines.items()}
        return cls(layout, state, layout.lab, machines, network.bridge_address(state.network))

    def add(self, specs: Sequence[MachineSpec], *, report: Report = _silent) -> list[Machine]:
        """Boot more machines in this lab."""
        with lab_lock(self.layout):
            self.state = machines_state.load(self.layout)
            _add(self.layout, self.state, specs, report)
        fresh = {spec.name: _machine(self.layout, self.state.machines[spec.name]) for spec in specs}
        self.machines.update(fresh)
        return list(fresh.values())

    def down(self) -> None:
        """Remove every trace of this lab."""
        take_down(self.name)

    def save(self) -> None:
        """Write down what changed in the machines' records (a new host key, say)."""
        machines_state.save(self.layout, self.state)


def take_down(name: str, *, reaped: bool = False) -> list[str]:
    """Remove every trace of a lab, crashed or not, there or not; returns the host settings that were restored.

    `reaped`: wait too until the dead processes are out of the process list; they hold nothing any more.
    """
    layout = Layout(checked_name("lab", name))
    with lab_lock(layout):
        killed = sweep(layout)
        with global_lock():
            restored = machines_sysctls.restore_after_last_lab()
    if reaped:
        wait_until_reaped(killed)
    return restored


def lab_names() -> list[str]:
    """Names of all labs that are there, starting ones included."""
    return sorted(state.parent.name for state in paths.RUN.glob("*/lab.json"))


def leftovers() -> list[str]:
    """Names of labs whose owner process is gone, and of those whose making or removal was cut short."""
    names = []
    for name in lab_names():
        with contextlib.suppress(LabError):  # somebody else took it down meanwhile
            if not machines_state.load(Layout(name)).owner_is_alive():
                names.append(name)
    return names + [name for name in abandoned_locks() if name not in lab_names()]


def _claim(layout: Layout, owner_pid: int) -> LabState:
    with global_lock():
        machines_sysctls.remember()
        owner_started = machines_state.started(owner_pid) if owner_pid else 0
        state = LabState(layout.lab, str(network.choose_subnet()), owner_pid=owner_pid, owner_started=owner_started)
        machines_state.save(layout, state)
    return state


def _remove(layout: Layout) -> None:
    sweep(layout)
    with global_lock():
        machines_sysctls.restore_after_last_lab()


def _add(layout: Layout, state: LabState, specs: Sequence[MachineSpec], report: Report) -> None:
    """Machines boot side by side: most of a boot is waiting."""
    lower = ensure_rootfs(report, layout.lab)
    records = []
    for spec in specs:
        if spec.name in state.machines:
            raise LabError(f"adding machine {spec.name}: lab {layout.lab} has one of that name")
        record = record_for(spec, state, lower)
        state.machines[spec.name] = record
        records.append(record)
    machines_state.save(layout, state)
    if any(record.kind == "vm" for record in records):
        ensure_kernel(report, layout.lab)
    began = time.monotonic()
    report(f"booting {len(records)} machines")
    with ThreadPoolExecutor(max_workers=4) as pool:
        waiting = {pool.submit(create, layout, record, state.network): record for record in records}
        try:
            for done in as_completed(waiting):
                done.result()
                report(f"  {waiting[done].name} at {waiting[done].address} answers after {time.monotonic() - began:.1f} s")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    state.state = "up"
    machines_state.save(layout, state)


def _machine(layout: Layout, record: MachineRecord) -> Machine:
    return Machine(
        record.name,
        record.address,
        record.port,
        record.user,
        record.password,
        layout.key,
        record.machine_id,
        record.host_keys,
        layout,
        record,
    )
