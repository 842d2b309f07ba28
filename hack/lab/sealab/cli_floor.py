"""`sealab floor`: times a plain shell script that makes a cluster, for comparison."""

import argparse
import json
import os
from pathlib import Path

from sealab import floor
from sealab.machines import Lab, MachineSpec, take_down


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the sub-command."""
    parser = commands.add_parser("floor", help="time a plain shell script that makes a cluster", description=floor.__doc__)
    parser.add_argument("--masters", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path, help="write the result there as JSON")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    name = f"floor{os.getpid()}"
    masters = [f"m{index + 1}" for index in range(options.masters)]
    workers = [f"w{index + 1}" for index in range(options.workers)]
    lab = Lab.up(name, [MachineSpec(machine) for machine in (*masters, *workers)], owner_pid=os.getpid(), report=print)
    try:
        measured = floor.run(lab, masters, workers).as_json()
    finally:
        take_down(name)
    print(json.dumps(measured, indent=2))
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(measured))
    return 0
