"""Sub-commands for machines: up, down, list, ssh."""

import argparse
import json
import os
import time
from collections.abc import Callable
from typing import Any

from sealab import machines
from sealab.errors import LabError
from sealab.machines_spec import MachineSpec
from sealab.ssh_access import ssh_command, ssh_environment


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the sub-commands."""
    up = commands.add_parser("up", help="boot machines", description="Boot machines; returns when every sshd answers.")
    up.add_argument("--name", default="lab")
    up.add_argument("-n", type=int, default=3, metavar="N", help="how many machines, named m1 to mN")
    up.add_argument("--machine", action="append", default=[], metavar="NAME[,option=value…]", help=MACHINE_HELP)
    up.add_argument("--owner-pid", type=int, default=0, help="the lab is a leftover once this process has ended")
    up.set_defaults(run=_up)

    down = commands.add_parser("down", help="remove every trace of a lab, also of a crashed one")
    down.add_argument("--name", default="lab")
    down.set_defaults(run=_down)

    listing = commands.add_parser("list", help="show the labs and their machines")
    listing.add_argument("--name", help="only this lab")
    listing.add_argument("-o", "--output", choices=["text", "json"], default="text")
    listing.set_defaults(run=_list)

    ssh = commands.add_parser("ssh", help="open a shell on a machine, or run a command there")
    ssh.add_argument("name")
    ssh.add_argument("machine")
    ssh.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND")
    ssh.set_defaults(run=_ssh)


MACHINE_HELP = (
    "instead of -n, may be repeated; options: port=2222 user=ops auth=key|password|both sudo=nopasswd|password"
    " disk=6 (GiB) hostname=… id=… address=… cloud-hosts=yes kind=vm memory=2048 (MiB)"
)


def parse_machine(text: str) -> MachineSpec:
    """`m1,port=2222,user=ops` as a specification."""
    name, *pairs = text.split(",")
    options = dict(pair.partition("=")[::2] for pair in pairs)
    fields: dict[str, tuple[str, Callable[[str], object]]] = {
        "port": ("port", int),
        "user": ("user", str),
        "auth": ("auth", _choice("key", "password", "both")),
        "sudo": ("sudo", _choice("nopasswd", "password")),
        "disk": ("disk_gib", float),
        "hostname": ("hostname", str),
        "id": ("machine_id", str),
        "address": ("address", str),
        "kind": ("kind", _choice("container", "vm")),
        "memory": ("memory_mib", int),
        "cloud-hosts": ("cloud_hosts", lambda value: _choice("yes", "no")(value) == "yes"),
    }
    values: dict[str, Any] = {}
    for option, value in options.items():
        if option not in fields:
            raise LabError(f"reading --machine {text}: no option {option!r}; there are {', '.join(fields)}")
        field, convert = fields[option]
        try:
            values[field] = convert(value)
        except ValueError as error:
            raise LabError(f"reading --machine {text}: {option}: {error}") from error
    return MachineSpec(name, **values)


def _choice(*allowed: str) -> Callable[[str], str]:
    def convert(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"{value!r} is none of {', '.join(allowed)}")
        return value

    return convert


def _up(options: argparse.Namespace) -> int:
    specs = [parse_machine(text) for text in options.machine] or [MachineSpec(f"m{number}") for number in range(1, options.n + 1)]
    began = time.monotonic()
    lab = machines.Lab.up(options.name, specs, owner_pid=options.owner_pid, report=_tell)
    _tell(f"lab {lab.name} is up after {time.monotonic() - began:.1f} s")
    _show(lab)
    first = next(iter(lab.machines), "m1")
    _tell(f"log in:     hack/lab/lab ssh {lab.name} {first}")
    _tell(f"take down:  make lab-down NAME={lab.name}")
    return 0


def _down(options: argparse.Namespace) -> int:
    began = time.monotonic()
    existed = options.name in machines.lab_names()
    restored = machines.take_down(options.name, reaped=True)
    for setting in restored:
        _tell(f"restored the host's {setting}")
    what = "is down" if existed else "was not there; whatever was left of it is gone"
    _tell(f"lab {options.name} {what} ({time.monotonic() - began:.1f} s)")
    return 0


def _list(options: argparse.Namespace) -> int:
    names = [options.name] if options.name else machines.lab_names()
    labs = [machines.Lab.load(name) for name in names]
    if options.output == "json":
        print(json.dumps({lab.name: describe(lab) for lab in labs}, indent=2))
        return 0
    for lab in labs:
        print(f"{lab.name}: {lab.state.state}, network {lab.state.subnet}, host at {lab.bridge_address}")
        _show(lab)
    return 0


def describe(lab: machines.Lab) -> dict[str, object]:
    """A lab as plain data, with everything that is needed to log in."""
    return {
        "state": lab.state.state,
        "subnet": lab.state.subnet,
        "bridgeAddress": lab.bridge_address,
        "machines": [
            {
                "name": machine.name,
                "address": machine.address,
                "port": machine.port,
                "user": machine.user,
                "password": machine.password,
                "auth": machine.record.auth,
                "sudo": machine.record.sudo,
                "keyPath": str(machine.key),
                "hostKeys": machine.host_keys,
                "hostname": machine.record.hostname,
                "machineID": machine.machine_id,
                "status": machine.status,
            }
            for machine in lab.machines.values()
        ],
    }


def _show(lab: machines.Lab) -> None:
    for machine in lab.machines.values():
        print(f"  {machine.name:12} {machine.address}:{machine.port:<5} {machine.user:8} {machine.status}")


def _ssh(options: argparse.Namespace) -> int:
    lab = machines.Lab.load(options.name)
    if options.machine not in lab.machines:
        raise LabError(f"logging in: lab {lab.name} has no {options.machine}; it has {', '.join(lab.machines)}")
    record = lab.machines[options.machine].record
    argv = ssh_command(lab.layout, record, *options.words)
    os.execvpe("ssh", argv, {**os.environ, **ssh_environment(lab.layout, record)})


def _tell(line: str) -> None:
    print(line, flush=True)
