"""kubeadm's documents cannot be made from the images: that is told once, before any machine is touched, and the engine goes on."""

from dataclasses import replace

import pytest

from sealcluster.testing import clock, specs
from sealcluster.testing.driver import Simulation
from sealcluster.testing.model.images import CNI, ROOTFS

BAD = "registry.example/bad:v1"
CASES = {
    "no YAML": {"small_files": {"etc/kubeadm.yml": "a: ["}},
    "an unknown kind": {"small_files": {"etc/kubeadm.yml": "kind: Nope\napiVersion: v1\n"}},
    "too old": {"version": "v1.9.0"},
    "too old for nftables": {"version": "v1.27.0"},
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_told_and_nothing_is_touched(case):
    async def main():
        more = {"network": {"proxyMode": "nftables"}} if "nftables" in case else {}
        sim = Simulation(1, specs.spec(1, 1, images=[{"name": "kubernetes", "ref": BAD}, {"name": "cni", "ref": CNI}], **more))
        try:
            good = sim.images.images[ROOTFS, "amd64"]
            sim.images.add(replace(good, info=replace(good.info, ref=BAD, **CASES[case])))
            sim.start()
            report = await sim.until(lambda r: r.blocked, 600)
            assert report.account.blocked.message
            assert sim.management.history[-1].fence == 1, "the engine ended and began again"
            assert all(machine.owner is None for machine in sim.world.machines.values())
        finally:
            await sim.end()

    clock.run(main(), limit=40_000)
