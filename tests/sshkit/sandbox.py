"""A directory that plays a machine's root for the host scripts, with stand-ins for the commands of systemd.

The stand-ins keep what matters to jobs: a unit is a process of its own session, the same unit does not start twice while it
runs, and a time limit ends it with SIGTERM.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from sealcluster.host.layout import Layout
from sealcluster.ssh.command import PATH

SYSTEMD_RUN = """#!/bin/sh
units=@UNITS@
limit=
while [ $# -gt 0 ]; do
	case $1 in
	-q | --collect) ;;
	--unit=*) unit=${1#--unit=} ;;
	-p) shift; case $1 in RuntimeMaxSec=*) limit=${1#*=} ;; esac ;;
	*) break ;;
	esac
	shift
done
[ ! -e "$units/fail" ] || { cat "$units/fail" >&2; exit 1; }
exec 8>"$units/lock"
flock 8
if [ -e "$units/$unit" ] && kill -0 "$(cat "$units/$unit")" 2>/dev/null; then
	echo "Failed to start transient service unit: Unit $unit.service was already loaded or has a fragment file." >&2
	exit 1
fi
echo "$unit" >>"$units/history"
setsid "$@" </dev/null >>"$units/console" 2>&1 8>&- &
pid=$!
echo $pid >"$units/$unit"
# By then its number may be that of another process, in another test.
[ -z "$limit" ] || {
	(
		timeout "$limit" tail -s 0.2 --pid="$pid" -f /dev/null # what waits for the limit ends with the unit
		[ $? -eq 124 ] && grep -q -z -x -F -e "$2" "/proc/$pid/cmdline" && kill -TERM "$pid"
	) </dev/null >/dev/null 2>&1 8>&- &
}
"""

SYSTEMCTL = """#!/bin/sh
units=@UNITS@
case $1 in
is-active)
	unit=${2%.service}
	if [ -e "$units/$unit" ] && kill -0 "$(cat "$units/$unit")" 2>/dev/null; then echo active; exit 0; fi
	echo inactive
	exit 3
	;;
--version) echo "systemd 252 (252.38-1~deb12u1)" ;;
show)
	for word in "$@"; do
		case $word in
		*.service)
			if [ -e "$units/state-$word" ]; then
				printf 'Id=%s\\nLoadState=loaded\\nActiveState=%s\\n\\n' "$word" "$(cat "$units/state-$word")"
			else
				printf 'Id=%s\\nLoadState=not-found\\nActiveState=inactive\\n\\n' "$word"
			fi
			;;
		esac
	done
	;;
esac
"""


class Sandbox:
    """The root directory, the layout that makes the scripts use it, and what happened to its units."""

    def __init__(self, home: Path) -> None:
        self.root = home / "root"
        self.units = home / "units"
        self.bin = home / "bin"
        for folder in (
            self.root / "etc",
            self.root / "var/lib",
            self.root / "proc/sys",
            self.root / "run/systemd/system",
            self.units,
            self.bin,
        ):
            folder.mkdir(parents=True)
        (self.root / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
        (self.root / "etc/os-release").write_text('ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n')
        (self.root / "etc/hosts").write_text("127.0.0.1 localhost\n")
        for name in ("meminfo", "net", "filesystems", "cpuinfo"):
            (self.root / "proc" / name).symlink_to(f"/proc/{name}")
        (self.root / "proc/sys/kernel").symlink_to("/proc/sys/kernel")
        self.tool("systemd-run", SYSTEMD_RUN.replace("@UNITS@", str(self.units)))
        self.tool("systemctl", SYSTEMCTL.replace("@UNITS@", str(self.units)))
        self.layout = Layout(prefix=str(self.root), path=f"{self.bin}:{PATH}")

    @property
    def state(self) -> Path:
        """/var/lib/sealcluster of this machine."""
        return self.root / "var/lib/sealcluster"

    def tool(self, name: str, text: str) -> None:
        """Put a command first on the scripts' PATH."""
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def started(self) -> list[str]:
        """Units in the order of their start."""
        history = self.units / "history"
        return history.read_text().split() if history.exists() else []

    def pids(self) -> list[int]:
        return [int(f.read_text()) for f in self.units.glob("sealcluster-*")]

    def power_off(self) -> None:
        """Kill every unit at once, as a reboot does; its files stay as they are."""
        for pid in self.pids():
            for group in _sessions_below(pid):
                _kill(group)
        for file in self.units.glob("sealcluster-*"):
            file.unlink()

    def holding(self, word: bytes) -> list[str]:
        """Files of ours in which this stands."""
        return [str(f.relative_to(self.state)) for f in self.state.rglob("*") if f.is_file() and word in f.read_bytes()]

    def journal(self) -> list[list[str]]:
        """Words of the journal's lines."""
        file = self.state / "journal"
        return [line.split() for line in file.read_text().splitlines()] if file.exists() else []


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of this size (`3m`) at the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(folder: Path) -> None:
    """Not one block is left."""
    with (folder / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(b"x" * 4096)


def alive(pid: int) -> bool:
    """Neither gone nor a zombie that nobody waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def shown(word: bytes) -> list[str]:
    """Processes of this machine whose command line, which everybody can read, holds this."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if word in (process / "cmdline").read_bytes():
                found.append(process.name)
    return found


def _sessions_below(pid: int) -> list[int]:
    """The process and all of its descendants."""
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        listed = subprocess.run(["ps", "--no-headers", "-o", "pid", "--ppid", str(found[-1])], capture_output=True, text=True, check=False)
        todo += [int(word) for word in listed.stdout.split()]
    return found


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def wait_for(condition, what: str, seconds: float = 15.0):
    """Poll until `condition()` is true; returns its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)
    return value
