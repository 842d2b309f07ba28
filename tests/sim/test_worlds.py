"""Random worlds: a sample of `make sim`, and every seed that ever showed a bug."""

import pytest

from sealcluster.testing import randomworld

SAMPLE = range(1, 9)
FOUND = {
    47: "a fault that struck seconds before the end was not seen yet by the operator that was replaced (the judge was too early)",
    707: "an operator that had just taken over started a job beside one that its predecessor, woken up, had started since it looked",
    1321: "a join that lost power was undone on a machine that was a voter already, and etcd's quorum was gone for good",
    1535: "an operator that took over prepared the registry's files again while its predecessor's script was starting it",
    10062: "certificates were issued on a machine while its join ran",
    10162: "an operator that had just taken over removed the etcd member of a master that its predecessor was joining",
    1730: "the next master joined while the join of one that had lost its network went on",
    10242: "a join started while certificates were being issued beside it",
    789: "parts were fetched beside their own unpacking: the plan was older than the look that was compared with it",
}


@pytest.mark.parametrize("seed", SAMPLE)
def test_a_world_with_faults_ends_well_once_they_stop(seed):
    assert randomworld.live(seed)[0].problems == []


@pytest.mark.thorough
@pytest.mark.parametrize("seed", FOUND, ids=[f"{seed}-{why.replace(' ', '-')[:40]}" for seed, why in FOUND.items()])
def test_a_world_that_once_ended_badly(seed):
    assert randomworld.live(seed)[0].problems == []
