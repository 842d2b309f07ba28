"""What runs beside what while a cluster is made: the network before the last master, balancers once for all."""

import pytest

from sealcluster.testing import scenarios, specs
from sealcluster.testing.model.images import CNI, HELLO, ROOTFS

IMAGES = [{"name": "kubernetes", "ref": ROOTFS}, {"name": "cni", "ref": CNI}, {"name": "hello", "ref": HELLO}]


def at(outcome, *words):
    """The first moment of a line of the story that holds all the words."""
    return next(float(line.split()[0]) for line in outcome.trace if all(word in line for word in words))


@pytest.mark.thorough
def test_the_network_runs_beside_masters_that_still_join_and_what_is_no_network_after_them():
    outcome = scenarios.create(specs.spec(3, 2, images=IMAGES), seed=7)
    assert outcome.problems == []
    workers = max(at(outcome, f"{worker}: end kubeadm-join", "rc=0") for worker in ("w1", "w2"))
    assert workers < at(outcome, "start guest-cni") < at(outcome, "m3: end kubeadm-join", "rc=0") < at(outcome, "start guest-hello")


@pytest.mark.thorough
def test_an_application_that_is_not_the_network_does_not_overtake_though_it_is_first():
    outcome = scenarios.create(specs.spec(3, 2, images=[IMAGES[0], IMAGES[2], IMAGES[1]]), seed=7)
    assert outcome.problems == []
    assert at(outcome, "m3: end kubeadm-join", "rc=0") < at(outcome, "start guest-hello") < at(outcome, "start guest-cni")


def test_a_workers_balancer_is_written_once_for_all_masters_that_are_ours():
    outcome = scenarios.create(specs.spec(3, 2), seed=7)
    written = [line for line in outcome.trace if "w1: start load-balancer" in line]
    assert len(written) == 1, written
