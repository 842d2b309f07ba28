"""The whole command line on model machines in virtual time: what a person types, prints and gets as an exit code."""

import asyncio
import base64
import functools
import os
import random
import re
from collections.abc import Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import bcrypt
import pytest
from typer.testing import CliRunner

from sealcluster.cli.main import app
from sealcluster.engine import Ports
from sealcluster.kube.client import KubeClient
from sealcluster.testing.clock import EPOCH, VirtualClock, VirtualLoop
from sealcluster.testing.fakekube import FakeKube
from sealcluster.testing.model.certs import ModelCerts
from sealcluster.testing.model.host import ModelHosts
from sealcluster.testing.model.images import CNI, ROOTFS, ModelImages
from sealcluster.testing.model.machine import Machine
from sealcluster.testing.model.workload import ModelWorkloads
from sealcluster.testing.model.world import ModelWorld

CRD = Path(__file__).parents[3] / "crds/sealclusters.sealcluster.io.yaml"
GOLDEN = Path(__file__).parents[2] / "golden/cli"
PASSWORD = "secret"
LIMIT = 50_000.0
"""Virtual seconds after which a test's world ends."""


class ModelShell:
    """Runs nothing: says what it would run, and fails where the test wants it."""

    def __init__(self, host, failing):
        self.host, self.failing = host, failing

    async def command(self, text, *, within, on_line):
        on_line(f"ran {text}")
        on_line("done")
        return self.failing.get(self.host, 0)


class ModelOpened:
    def __init__(self, outside):
        self.outside = outside
        self.chance = random.Random(1)

    def ports(self, management):
        world = self.outside.world
        clock = VirtualClock()
        return Ports(
            hosts=ModelHosts(world, clock),
            images=self.outside.images,
            certs=self.outside.certs,
            management=management,
            workloads=self.outside.workloads,
            clock=clock,
            random=self.chance.random,
            token=lambda: f"{self.chance.getrandbits(24):06x}.{self.chance.getrandbits(64):016x}",
            new_id=lambda: f"{self.chance.getrandbits(64):016x}",
        )

    def shell(self, target):
        return ModelShell(target.name, self.outside.failing_commands)

    async def close(self):
        self.outside.closed += 1


class ModelOutside:
    """One world that outlives every command, in one virtual loop."""

    def __init__(self):
        self.loop = VirtualLoop(LIMIT)
        self.loop.run_until_complete(self._make())
        self.failing_commands = {}
        self.settings = []
        self.opened = self.closed = 0
        self.interrupt_after = None
        self.planes = []

    async def _make(self):
        self.world = ModelWorld(seed=7)
        self.images = ModelImages(self.world.timing)
        self.certs = ModelCerts(self.world.timing)
        self.workloads = ModelWorkloads(self.world)

    @functools.cached_property
    def kube(self):
        """A management plane; made when a test asks for it, for the CRD is long."""
        return FakeKube(VirtualClock(), CRD)

    def run(self, work):
        if self.interrupt_after is None:
            return self.loop.run_until_complete(work)
        return self.loop.run_until_complete(self._interrupted(work))

    async def _interrupted(self, work):
        try:
            return await asyncio.wait_for(work, self.interrupt_after)
        except TimeoutError:
            self.interrupt_after = None
            raise KeyboardInterrupt from None

    def open(self, root, settings):
        self.opened += 1
        self.settings.append(settings)
        return ModelOpened(self)

    @asynccontextmanager
    async def plane(self, kubeconfig, context):
        self.planes.append((kubeconfig, context))
        yield KubeClient(self.kube)

    def now(self):
        return EPOCH + self.loop.time()

    def power_off(self, machine):
        async def pull_the_plug():
            self.world.power_off(machine)

        self.loop.run_until_complete(pull_the_plug())

    def end(self):
        self.loop.run_until_complete(self.world.end())
        self.images.close()
        self.loop.close()


@dataclass
class Done:
    code: int
    out: str
    err: str


class CommandLine:
    """`cli("run", …)`; machines of the given names stand at 10.0.0.11 and on."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.state = folder / "state"
        self.outside = ModelOutside()
        self.password = folder / "password"
        self.password.write_text(PASSWORD + "\n")

    def machines(self, *names: str) -> dict[str, Machine]:
        made = {name: Machine(name, f"10.0.0.{number}") for number, name in enumerate(names, 11)}
        for name, machine in made.items():
            machine.host_key = "ssh-ed25519 " + base64.b64encode(b"key of " + name.encode()).decode()
            self.outside.world.add(machine)
        return made

    def __call__(self, *words: str, stdin: str | None = None, program: str = "sealcluster", env: dict[str, str] | None = None) -> Done:
        env = {**(env or {}), "SEALCLUSTER_STATE": str(self.state), "HOME": str(self.folder), "COLUMNS": "200"}
        result = CliRunner().invoke(app, list(words), input=stdin, obj=self.outside, env=env, prog_name=program, catch_exceptions=False)
        return Done(result.exit_code, result.stdout, re.sub(r"^ *\d+\.\ds ", "", result.stderr, flags=re.MULTILINE))

    def run(self, *more: str, masters: str = "10.0.0.11", nodes: str = "") -> Done:
        """The usual `run`."""
        where = ["--masters", masters, *(["--nodes", nodes] if nodes else [])]
        return self("run", ROOTFS, CNI, *where, "--password-file", str(self.password), *more)


def golden(name: str, text: str) -> None:
    """The text is what the file says, but for times of day; UPDATE_GOLDEN=1 writes it."""
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text)
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()


@pytest.fixture(autouse=True)
def _cheap_passwords(monkeypatch):
    """bcrypt at its weakest: half of a model run's time goes into it otherwise."""
    real = bcrypt.gensalt
    monkeypatch.setattr(bcrypt, "gensalt", lambda rounds=4: real(4))


@pytest.fixture(name="golden")
def _golden():
    return golden


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[CommandLine]:
    line = CommandLine(tmp_path)
    yield line
    line.outside.end()
