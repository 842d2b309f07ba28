"""A lab command that is killed at any moment leaves nothing that `down` does not find."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sealab import paths
from sealab.cleanup_cgroups import lab_cgroups
from sealab.cleanup_processes import lab_processes
from sealab.machines import Lab, MachineSpec, take_down
from sealab.machines_disk import mount_points_below
from sealab.machines_layout import Layout

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

SEED = random.randrange(1 << 30)

MOMENTS: dict[str, Callable[[Layout], object]] = {
    "its lock is taken": lambda lab: lab.run.with_name(f"{lab.lab}.lock").exists(),
    "its state is written": lambda lab: lab.state.exists(),
    "the bridge is there": lambda lab: Path("/sys/class/net", lab.bridge).exists(),
    "a disk is made": lambda lab: lab.image("m1").exists(),
    "a disk is mounted": lambda lab: len(mount_points_below(lab.data)) >= 1,
    "a root is mounted": lambda lab: len(mount_points_below(lab.data)) >= 4,
    "runc has begun": lambda lab: (lab.machine_run("m1") / "console.log").exists(),
    "a cgroup is there": lab_cgroups,
    "a cable is plugged in": lambda lab: list(Path("/sys/class/net").glob(f"{lab.link_prefix}*")),
    "a machine runs": lambda lab: (lab.runc / "m2" / "state.json").exists(),
}


@pytest.fixture
def layout() -> Iterator[Layout]:
    layout = Layout(f"k{os.getpid()}")
    yield layout
    take_down(layout.lab)


def begin_up(layout: Layout) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "sealab", "up", "--name", layout.lab, "-n", "2"]
    environment = {**os.environ, "PYTHONPATH": str(paths.SOURCE)}
    return subprocess.Popen(argv, stdout=subprocess.DEVNULL, env=environment)


def kill(process: subprocess.Popen[bytes]) -> None:
    """The command alone: what it started lives on, which is the harder case."""
    process.send_signal(signal.SIGKILL)
    process.wait()


def namespaces_of(pids: set[int]) -> set[str]:
    """Namespaces of these processes that are not this process' own."""
    found: set[str] = set()
    for pid in pids:
        with suppress(OSError):  # it ends while we look
            found.update(str(link.readlink()) for link in Path(f"/proc/{pid}/ns").iterdir())
    return found - {str(link.readlink()) for link in Path("/proc/self/ns").glob("*")}


def all_namespaces() -> set[str]:
    pids = {int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    pinned = {line.split()[3] for line in Path("/proc/self/mountinfo").read_text().splitlines() if " - nsfs " in line}
    return namespaces_of(pids) | pinned


def traces(layout: Layout, namespaces: set[str]) -> dict[str, object]:
    """Everything on this computer that can be told to be the lab's; empty when there is nothing."""
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    loops = [file.read_text() for file in Path("/sys/block").glob("loop*/loop/backing_file")]
    rules = subprocess.run(["iptables", "-w", "-S"], capture_output=True, text=True, check=True).stdout.splitlines()
    everything: dict[str, object] = {
        "processes": lab_processes(layout),
        "mounts": [line for line in mounts if f"{layout.data}/" in line or f"{layout.run}/" in line],
        "loop devices": [backing for backing in loops if backing.startswith(f"{layout.data}/")],
        "namespaces": namespaces & all_namespaces(),
        "interfaces": [path.name for path in Path("/sys/class/net").glob(f"sl{layout.tag}*")],
        "firewall rules": [rule for rule in rules if layout.bridge in rule],
        "cgroups": lab_cgroups(layout),
        "files": [path for path in (layout.run, layout.data) if path.exists()],
        "locks": [*paths.RUN.glob(f"{layout.lab}.lock")],
    }
    return {kind: found for kind, found in everything.items() if found}


def assert_down_leaves_nothing(layout: Layout, namespaces: set[str] | None = None, moment: str = "") -> None:
    if namespaces is None:
        namespaces = namespaces_of(lab_processes(layout))
    take_down(layout.lab, reaped=True)
    # What a killed `down` had killed already is reaped by the computer's first process, whenever that looks.
    deadline = time.monotonic() + 20
    while set(traces(layout, namespaces)) == {"namespaces"} and time.monotonic() < deadline:
        time.sleep(0.02)
    assert traces(layout, namespaces) == {}, moment


@pytest.mark.parametrize("moment", MOMENTS)
def test_up_is_killed_when(moment: str, layout: Layout) -> None:
    process = begin_up(layout)
    deadline = time.monotonic() + 60
    while not MOMENTS[moment](layout):
        assert process.poll() is None, f"up ended before {moment}"
        assert time.monotonic() < deadline
    kill(process)
    assert_down_leaves_nothing(layout)


@pytest.mark.parametrize("attempt", range(6))
def test_up_is_killed_at_a_random_moment(attempt: int, layout: Layout) -> None:
    process = begin_up(layout)
    moment = random.Random(SEED + attempt).uniform(0.1, 2.0)  # an up of two takes about that long
    with suppress(subprocess.TimeoutExpired):
        process.wait(moment)
    kill(process)
    assert_down_leaves_nothing(layout, moment=f"killed after {moment:.3f} s")


@pytest.mark.parametrize("attempt", range(3))
def test_down_is_killed_and_run_again(attempt: int, layout: Layout) -> None:
    lab = Lab.up(layout.lab, [MachineSpec("m1"), MachineSpec("m2")])
    namespaces = namespaces_of(lab_processes(layout))
    assert len(namespaces) >= 12  # two machines with six of their own: the check above is not blind
    assert {"processes", "mounts", "loop devices", "interfaces", "cgroups", "files"} <= set(traces(layout, namespaces))
    argv = [sys.executable, "-m", "sealab", "down", "--name", lab.name]
    environment = {**os.environ, "PYTHONPATH": str(paths.SOURCE)}
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, env=environment)
    with suppress(subprocess.TimeoutExpired):
        process.wait(random.Random(SEED + attempt).uniform(0.1, 0.6))
    kill(process)
    assert_down_leaves_nothing(layout, namespaces)


def test_down_leaves_other_labs_alone(layout: Layout) -> None:
    other = Layout(f"{layout.lab}-2")
    try:
        Lab.up(layout.lab, [MachineSpec("m1")])
        neighbour = Lab.up(other.lab, [MachineSpec("m1")])
        take_down(layout.lab)
        assert traces(layout, set()) == {}
        assert neighbour.machines["m1"].ssh("hostname").stdout == b"m1\n"
    finally:
        take_down(other.lab)
