"""A sandboxed machine behind a real sshd, and the host port that reaches it."""

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sealcluster.core.ops import Job, Op, RunScript
from sealcluster.core.ports import Credentials, Fence, HostKeyPolicy, HostTarget
from sealcluster.host.hosts import SshHosts
from sealcluster.host.jobs import Patience
from sealcluster.host.port import SshHost
from sshkit.sandbox import Sandbox
from sshkit.sshd import Sshd

OURS = Fence("c1", 5)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def job(op: Op, step: str = "step", name: str = "x", timeout: float = 60) -> Job:
    return Job(step, digest(name), op, timeout)


@dataclass
class Machine:
    """One host as its tests see it: files from below, the port from above."""

    box: Sandbox
    sshd: Sshd
    hosts: list[SshHosts] = field(default_factory=list)

    @property
    def target(self) -> HostTarget:
        return HostTarget("m1", "127.0.0.1", self.sshd.port, Credentials(private_key=self.sshd.user_key), HostKeyPolicy(True))

    def port(self, patience: Patience | None = None) -> SshHost:
        """A port over connections of its own, as another operator process would have."""
        hosts = SshHosts(layout=self.box.layout, patience=patience or Patience(poll=5, reconnect=10, pause=0.05))
        self.hosts.append(hosts)
        port = hosts.host(self.target)
        assert isinstance(port, SshHost)
        return port

    def shell(self, text: str) -> RunScript:
        """An op that runs this bash text below the machine's root."""
        (self.box.root / "work").mkdir(exist_ok=True)
        (self.box.root / "work/script").write_text(text)
        return RunScript("/work", "script")

    def file(self, path: str) -> Path:
        return self.box.root / path.lstrip("/")

    def own(self) -> None:
        """Make the machine ours, as a claim does; nothing else starts on one that is nobody's."""
        self.box.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.box.state / "owner").write_text("c1 m1\n")

    def free(self) -> None:
        """Make it nobody's."""
        (self.box.state / "owner").unlink()

    async def close(self) -> None:
        for hosts in self.hosts:
            await hosts.close()


@contextlib.contextmanager
def machine(home: Path) -> Iterator[Machine]:
    """Start one; the caller closes its ports."""
    made = Machine(Sandbox(home), Sshd(home / "sshd").start())
    made.own()
    try:
        yield made
    finally:
        made.box.power_off()
        made.sshd.stop()
