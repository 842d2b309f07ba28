"""The contract of HostPort, on the model."""

import hashlib

import pytest

from contract.host_contract import CASES
from sealcluster.core.ports import Credentials, HostKeyPolicy, HostTarget
from sealcluster.testing import clock
from sealcluster.testing.model.host import ModelHosts
from sealcluster.testing.model.machine import Machine
from sealcluster.testing.model.world import ModelWorld


class ModelRig:
    def __init__(self, directory):
        self.directory = directory
        self.world = ModelWorld(seed=3)
        self.machine = self.world.add(Machine("m1", "10.0.0.11"))

    def connect(self):
        credentials = Credentials("root", password="secret")
        target = HostTarget("m1", "10.0.0.11", 22, credentials, HostKeyPolicy(trust_on_first_use=True))
        return ModelHosts(self.world).host(target)

    async def cut(self):
        self.world.network.cut.add("m1")

    async def heal(self):
        self.world.network.cut.discard("m1")

    async def power_cycle(self):
        self.world.power_off(self.machine)
        self.world.power_on(self.machine)

    async def read(self, path):
        return self.machine.files.read(path)

    async def write(self, path, content):
        self.machine.files.write(path, content)

    def part(self, content):
        digest = hashlib.sha256(content).hexdigest()
        path = self.directory / digest
        path.write_bytes(content)
        return digest, path


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_contract(case, tmp_path):
    async def main():
        rig = ModelRig(tmp_path)
        await case(rig)
        await rig.world.end()

    clock.run(main(), limit=10_000)
