"""Container images are pulled by role, by a stand-in that records what it was asked."""

import pytest

from sealcluster.core.ops import PullImages
from sshkit.ops import ROOT, do, done


@pytest.mark.parametrize(("role", "count"), [("master", 7), ("worker", 2)])
async def test_images_are_pulled_by_role(m1, kubeadm, role, count):
    await done(m1, PullImages(ROOT, "v1.34.4", role, ("sealos.hub:5000/lvscare:v4",)))
    pulled = m1.file("/pulled").read_text().splitlines()
    assert len(pulled) == count + 1
    assert "pull registry.k8s.io/pause:v1.34.4" in pulled
    assert "pull sealos.hub:5000/lvscare:v4" in pulled
    assert "config images list --kubernetes-version v1.34.4" in kubeadm.read_text()


async def test_an_image_that_cannot_be_pulled_is_named_after_three_tries(m1, kubeadm):
    result = await do(m1, PullImages(ROOT, "v1.34.4", "worker", ("x/broken:1",)))
    assert result.rc == 1
    assert "x/broken:1: not found" in result.log
    assert result.log.endswith("failed for x/broken:1 ")
    assert m1.file("/pulled").read_text().count("broken") == 3


async def test_images_that_fill_the_disk_are_told(m1, kubeadm, little):
    m1.box.tool("crictl", f'#!/bin/sh\ncat /dev/zero >>{little}/filler 2>/dev/null\necho "no space left on device" >&2\nexit 1\n')
    assert (await do(m1, PullImages(ROOT, "v1.34.4", "worker", ()))).rc == 1
    assert m1.box.journal()[-1][2] == "failed"
