"""The real engine makes clusters out of model machines."""

import pytest

from sealcluster.testing import scenarios, specs


@pytest.mark.parametrize(("masters", "workers"), [(1, 0), (1, 2), (3, 2)])
def test_a_cluster_becomes_ready_and_a_new_operator_has_nothing_to_do(masters, workers):
    outcome = scenarios.create(specs.spec(masters, workers), seed=masters * 10 + workers)
    assert outcome.problems == []
    assert outcome.repeated == []
    assert len(outcome.state["nodes"]) == masters + workers
    assert len(outcome.state["voters"]) == masters


@pytest.mark.thorough
def test_the_same_seed_is_the_same_story():
    first, second = (scenarios.create(specs.spec(1, 1), seed=5) for _ in range(2))
    assert first.trace == second.trace


@pytest.mark.thorough
def test_another_seed_is_another_story_with_the_same_end():
    first, second = (scenarios.create(specs.spec(1, 1), seed=seed) for seed in (5, 6))
    assert first.trace != second.trace
    assert scenarios.differences(first.state, second.state) == []
