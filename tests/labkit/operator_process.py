"""The operator as a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any


class Operator:
    """The operator as a process of its own against a management plane."""

    def __init__(self, plane: Any, folder: Path, insecure: str = "", **settings: str) -> None:
        self.plane = plane
        self.folder = folder
        self.log = folder / "operator.log"
        self.port = _free_port()
        self._settings = {
            "SEALCLUSTER_KUBECONFIG": str(plane.kubeconfig),
            "SEALCLUSTER_LISTEN_ADDRESS": "127.0.0.1",
            "SEALCLUSTER_LISTEN_PORT": str(self.port),
            "SEALCLUSTER_STORE": str(folder / "store"),
            "SEALCLUSTER_ARCHIVES": str(folder / "archives"),
            "SEALCLUSTER_INSECURE_REGISTRIES": insecure,
            "SEALCLUSTER_LOG_FORMAT": "console",
            **settings,
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0

    def start(self) -> None:
        """Start a new process; its log is appended to."""
        self.starts += 1
        with self.log.open("ab") as log:
            log.write(f"--- start {self.starts}\n".encode())
            log.flush()
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sealcluster.controller"],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **self._settings},
            )

    def kill(self) -> None:
        """SIGKILL: no chance to say goodbye."""
        process, self.process = self.process, None  # who looks meanwhile must not take it for one that ended by itself
        if process is not None and process.poll() is None:
            process.kill()
            process.wait()

    def said(self, words: str) -> bool:
        """Whether the process that was started last has logged this."""
        return words in self.log.read_text(errors="replace").split(f"--- start {self.starts}\n")[-1]

    def metric(self, name: str) -> float:
        """A metric without labels, as Prometheus would read it."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(f"{name} "):
                    return float(line.split()[1])
        raise AssertionError(f"there is no metric {name}")

    def pause(self) -> None:
        """SIGSTOP."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
