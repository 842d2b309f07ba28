"""OpenSSH's own server, started for a test in a directory of its own."""

import contextlib
import functools
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from sealab.machines_requirements import find_or_install


@functools.cache
def server() -> str:
    """OpenSSH's server; installed where it is missing, and started by tests alone."""
    return find_or_install("sshd", "openssh-server", "ssh", print)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def new_key(path: Path, kind: str = "ed25519", *options: str) -> str:
    """Make a key pair; returns the private key's text."""
    path.unlink(missing_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-f", path, "-N", "", "-C", "test", *options], check=True)
    return path.read_text()


@dataclass
class Sshd:
    """One server; `extra` are lines of sshd_config."""

    home: Path
    extra: str = ""
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    begun: bool = False
    """Its port is known to others."""

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        new_key(self.home / "host_key")
        self.user_key = new_key(self.home / "user_key")
        shutil.copy(self.home / "user_key.pub", self.home / "authorized_keys")

    @property
    def host_key(self) -> str:
        """Its public key line without comment."""
        return " ".join((self.home / "host_key.pub").read_text().split()[:2])

    def start(self) -> "Sshd":
        """On the port that it had before; the first time on one that is free, also where somebody takes that meanwhile."""
        Path("/run/sshd").mkdir(exist_ok=True)
        while True:
            said = self._start()
            if not said:
                self.begun = True
                return self
            if self.begun or "Address already in use" not in said:
                raise AssertionError(f"sshd did not start: {said}")
            self.port = free_port()

    def _start(self) -> str:
        """Empty once it listens, or else what it said."""
        config = self.home / "sshd_config"
        config.write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.home}/host_key\nAuthorizedKeysFile {self.home}/authorized_keys\n"
            f"StrictModes no\nUsePAM no\nPidFile {self.home}/sshd.pid\nPermitRootLogin yes\n"
            # Not the start-up files of whoever runs the tests: they take their time, and a session that is cut leaves their locks behind.
            f"SetEnv HOME={self.home}\n{self.extra}\n"
        )
        log = self.home / "sshd.log"
        log.unlink(missing_ok=True)
        process = subprocess.Popen([server(), "-D", "-f", config, "-E", log], start_new_session=True)
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            if log.exists() and f"Server listening on 127.0.0.1 port {self.port}." in log.read_text():
                self.process = process
                return ""
            time.sleep(0.02)
        process.kill()
        process.wait(10)
        return log.read_text() if log.exists() else "nothing"

    def sessions(self) -> list[int]:
        """Process ids of the servers of single connections."""
        assert self.process is not None
        return children(self.process.pid)

    def cut(self) -> None:
        """Break every connection, as a network does that goes away."""
        for pid in self.sessions():
            for child in children(pid):
                _kill(child)
            _kill(pid)

    def stop(self) -> None:
        if self.process is not None:
            self.cut()
            self.process.terminate()
            self.process.wait(10)
            self.process = None


def children(pid: int) -> list[int]:
    """Of a process that may end meanwhile."""
    found = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            found += [int(word) for word in task.read_text().split()]
    return found


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
