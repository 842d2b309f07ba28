"""`make screens`: runs the demo and records what commands really print on a terminal, for the pictures of the pages.

Each recording is a text file in `recordings/`: the command after `$ `, then the screen as it was, colours included.
`hack/gen_screens.py` draws them.
"""

import contextlib
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import demo
import desk
import yaml
from terminal import Screen

from sealab import faults
from sealab.errors import LabError
from sealab.machines import Lab
from sealab.registry import Registry

RECORDINGS = Path(__file__).parent / "recordings"
WIDTH, HEIGHT = 180, 60
SECONDS = 240.0
OURS = re.compile(r"/(?:root|home|tmp|run|var|usr|opt|srv|mnt|work|build)/")
"""Paths of the machine that records; what is shown must be true of any."""


class Shown:
    """A command on a terminal of its own, and the screen that it draws."""

    def __init__(self, command: str, home: Path) -> None:
        self.screen = Screen(WIDTH)
        self._lock = threading.Lock()
        own = {"PATH": f"{desk.HERE / 'bin'}:{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(home), "TERM": "xterm-256color"}
        self._pid, self._terminal = pty.fork()
        if not self._pid:
            os.chdir(home)
            os.execve("/bin/bash", ["bash", "-c", command], {**own, "KUBECONFIG": str(desk.KUBECONFIG), "LANG": "C.UTF-8"})
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def ended(self) -> list[str]:
        """The screen when the command has ended by itself."""
        self._reader.join(SECONDS)
        if self._reader.is_alive():
            self.stop()
            raise LabError(f"recording: the command has not ended after {SECONDS:g} s")
        os.waitpid(self._pid, 0)
        return self.screen.lines()

    def now(self) -> list[str]:
        """The screen at this moment."""
        with self._lock:
            return self.screen.lines()

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGINT)
        self._reader.join(SECONDS)
        os.waitpid(self._pid, 0)

    def _read(self) -> None:
        text = b""
        while True:
            select.select([self._terminal], [], [])
            try:
                piece = os.read(self._terminal, 65536)
            except OSError:  # how a terminal tells that nobody writes any more
                return
            whole = text + piece
            cut = len(whole) - next((n for n in range(4) if _decodes(whole[: len(whole) - n])), 0)
            with self._lock:
                self.screen.feed(whole[:cut].decode())
            text = whole[cut:]


def _decodes(piece: bytes) -> bool:
    try:
        piece.decode()
    except UnicodeDecodeError:
        return False
    return True


class Recorder(demo.Onlooker):
    """Looks on while the demo's cluster comes into being, and when it is there."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._watch: Shown | None = None
        self._middle = 0.0

    def machines(self, lab: Lab, registry: Registry, document: dict[str, Any]) -> None:
        """Preflight of two machines, one with a wrong clock; the plan for all."""
        (self.home / ".ssh").mkdir(mode=0o700)
        shutil.copy(next(iter(lab.machines.values())).key, self.home / ".ssh" / "id_ed25519")
        two = [host for host in document["spec"]["hosts"] if host["name"] in ("m1", "m4")]
        self._write("demo.yaml", {**document, "spec": {**document["spec"], "hosts": two}})
        faults.skew_clock(lab, lab.machines["m4"], 90)
        self.record("preflight-failed", "sealcluster preflight -f demo.yaml --key ~/.ssh/id_ed25519")
        faults.skew_clock(lab, lab.machines["m4"], 0)
        self._write("demo.yaml", document)
        self.record("plan-new", f"sealcluster plan -f demo.yaml --key ~/.ssh/id_ed25519 --insecure-registry {registry.address}")

    def looking(self, name: str, status: dict[str, Any]) -> None:
        """The middle: workers join, masters wait for their turn; a moment later, when the watch has drawn it."""
        if self._watch is None:
            self._watch = Shown("kubectl seal status -w", self.home)
        states = [host["state"] for host in status.get("hosts", [])]
        if not self._middle and "Joining" in states and "Preparing" in states:
            self._middle = time.monotonic() + 3
        if self._middle and time.monotonic() > self._middle and not (RECORDINGS / "status-working.txt").exists():
            save("status-working", "kubectl seal status -w", self._watch.now())
            self.record("get-working", f"kubectl get sealcluster {name}")

    def ready(self, lab: Lab, name: str) -> None:
        """Well; then with a machine that lost its power."""
        if self._watch is not None:
            self._watch.stop()
        self.record("get-ready", f"kubectl get sealcluster {name}")
        self.record("status-ready", "kubectl seal status")
        faults.power_off(lab, lab.machines["m5"])
        management = demo.plane.Plane.find(demo.NAME)
        assert management is not None
        _until(lambda: "Degraded" in management.kubectl("get", "sealcluster", name).stdout, "the cluster to be Degraded")
        self.record("status-sick", "kubectl seal status")

    def record(self, recording: str, command: str) -> None:
        """Run it to its end and keep what it showed."""
        save(recording, command, Shown(command, self.home).ended())

    def _write(self, name: str, document: dict[str, Any]) -> None:
        (self.home / name).write_text(yaml.safe_dump(document, sort_keys=False))


def save(recording: str, command: str, lines: list[str]) -> None:
    """Refuses what is true on one machine only."""
    text = "\n".join([f"$ {command}", *lines, ""])
    found = OURS.search(text)
    if found or len(lines) < 2:
        raise LabError(f"recording {recording}: " + (f"it shows the path {found[0]}…" if found else f"it shows nothing: {lines}"))
    (RECORDINGS / f"{recording}.txt").write_text(text)
    print(f"   recorded {recording}: {command}")


def _until(reached: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not reached():
        if time.monotonic() > deadline:
            raise LabError(f"waiting for {what}: not within {SECONDS:g} s")
        time.sleep(0.5)


def main() -> int:
    """Record everything anew; the demo is gone afterwards."""
    for old in RECORDINGS.glob("*.txt"):
        old.unlink()
    try:
        with tempfile.TemporaryDirectory() as home:
            demo.up(single=False, onlooker=Recorder(Path(home)))
    except LabError as error:
        print(f"screens: {error}", file=sys.stderr)
        return 1
    finally:
        demo.down()
    return 0


if __name__ == "__main__":
    sys.exit(main())
