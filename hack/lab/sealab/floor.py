"""Runs the floor (`hack/lab/floor/floor.sh`) on a lab: what a plain shell script over OpenSSH takes for a cluster."""

import json
import os
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealab.clusterimage import build
from sealab.clusterimage_unpack import config, render, unpack
from sealab.errors import LabError
from sealab.gobuild import binary
from sealab.machines import Lab, Machine
from sealab.machines_command import MARK
from sealab.paths import CACHE, SOURCE

_SCRIPT = SOURCE / "floor" / "floor.sh"
_TIMEOUT = 900.0
_APPLICATIONS = ("lab-cni", "hello")


@dataclass(frozen=True)
class Floor:
    """What one run of the script took."""

    seconds: float
    """From the first pushed byte to a hello pod's answer across nodes."""
    stages: dict[str, float]
    """Seconds of each stage, in order."""
    received_bytes: dict[str, int]
    """What came in at each host's network card, by address."""

    def as_json(self) -> dict[str, Any]:
        """For the record that benchmarks compare with."""
        return {"seconds": self.seconds, "stages": self.stages, "received_bytes": self.received_bytes}


def run(lab: Lab, masters: Sequence[str], workers: Sequence[str], version: str = "v1.34.4") -> Floor:
    """Makes a cluster of bare machines of the lab (by name); raises LabError with the script's words when it fails."""
    binary("render")  # built before the clock runs
    with tempfile.TemporaryDirectory(dir=CACHE, prefix=".floor-") as scratch:
        work = Path(scratch)
        for name in ("kubernetes", *_APPLICATIONS):
            image = build(name, version if name == "kubernetes" else "")
            unpack(image, work / "content" / name)
            render(work / "content" / name, config(image)["env"])
        hosts = {name: [lab.machines[one] for one in names] for name, names in (("masters", masters), ("workers", workers))}
        result = work / "result.json"
        done = subprocess.run(
            [
                _SCRIPT,
                work / "content",
                result,
                *(" ".join(machine.address for machine in hosts[role]) for role in ("masters", "workers")),
            ],
            check=False,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            env={
                **os.environ,
                MARK: lab.name,
                "VERSION": version,
                "SSH_OPTIONS": _ssh_options([*hosts["masters"], *hosts["workers"]], work / "known_hosts"),
            },
        )
        if done.returncode != 0:
            raise LabError(f"running the floor: exit code {done.returncode}\n{done.stderr[-4000:]}")
        return Floor(**json.loads(result.read_text()))


def _ssh_options(machines: Sequence[Machine], known_hosts: Path) -> str:
    """One set of options for all machines: the lab's key and the machines' host keys."""
    lines = [f"{machine.address} {key}" for machine in machines for key in machine.host_keys]
    known_hosts.write_text("\n".join(lines) + "\n")
    options = ["UserKnownHostsFile", str(known_hosts), "IdentityFile", str(machines[0].key)]
    options += ["IdentitiesOnly", "yes", "StrictHostKeyChecking", "yes", "LogLevel", "ERROR"]
    pairs = zip(options[::2], options[1::2], strict=True)
    return " ".join(f"-o {shlex.quote(f'{key}={value}')}" for key, value in pairs)
