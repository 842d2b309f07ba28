"""`sealab fault NAME MACHINE …`: what goes wrong in a data centre, from the command line."""

import argparse
from collections.abc import Callable

from sealab import faults
from sealab.errors import LabError
from sealab.machines import Lab, Machine

PLAIN: dict[str, Callable[[Lab, Machine], None]] = {
    "cut": faults.cut,
    "heal": faults.heal,
    "unthrottle": faults.unthrottle,
    "power-off": faults.power_off,
    "power-on": faults.power_on,
    "reboot": faults.reboot,
    "pause": faults.pause,
    "resume": faults.resume,
    "fill-disk": faults.fill_disk,
    "free-disk": faults.free_disk,
    "change-host-key": faults.change_host_key,
    "kill-sshd": faults.kill_sshd,
    "start-sshd": faults.start_sshd,
}

WITH_VALUE: dict[str, tuple[str, Callable[[Lab, Machine, str], None]]] = {
    "throttle": ("RATE, such as 10mbit", faults.throttle),
    "leave-disk": ("BYTES to leave free", lambda lab, machine, value: faults.fill_disk(lab, machine, _number(value))),
    "skew-clock": ("SECONDS, 0 to undo", lambda lab, machine, value: faults.skew_clock(lab, machine, _number(value))),
    "machine-id": ("32 hex digits", faults.set_machine_id),
    "hostname": ("NAME", faults.set_hostname),
}


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the sub-command."""
    values = "; ".join(f"{name} {value}" for name, (value, _) in WITH_VALUE.items())
    parser = commands.add_parser("fault", help="break something on a machine, or mend it", epilog=f"values: {values}")
    parser.add_argument("name")
    parser.add_argument("machine")
    parser.add_argument("fault", choices=[*PLAIN, *WITH_VALUE])
    parser.add_argument("value", nargs="?")
    parser.set_defaults(run=_fault)


def _fault(options: argparse.Namespace) -> int:
    lab = Lab.load(options.name)
    machine = lab.machines.get(options.machine)
    if machine is None:
        raise LabError(f"finding {options.machine}: lab {lab.name} has {', '.join(lab.machines)}")
    if options.fault in PLAIN:
        PLAIN[options.fault](lab, machine)
    else:
        hint, act = WITH_VALUE[options.fault]
        if options.value is None:
            raise LabError(f"fault {options.fault}: it takes a value: {hint}")
        act(lab, machine, options.value)
    print(f"{machine.name}: {options.fault} {options.value or ''}".rstrip())
    return 0


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise LabError(f"reading {text!r}: not a whole number") from None
