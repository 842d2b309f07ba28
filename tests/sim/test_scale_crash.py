"""The operator dies at an effect of an edit or a deletion; the next one brings it to the same end.

By default every 9th effect, and another side of it each time; SEALCLUSTER_EVERY_EFFECT=1 tries all of them on all sides.
"""

import os

import pytest

from sealcluster.testing import scenarios
from sealcluster.testing.effects import SIDES
from sim.lives import cluster

ALL = bool(os.environ.get("SEALCLUSTER_EVERY_EFFECT"))
STRIDE = 1 if ALL else 9

EDITS = {
    "add and remove workers": (cluster("m1", "w1", "w2"), cluster("m1", "w2", "w3")),
    "replace the first master": (cluster("m1", "m2", "m3", "w1"), cluster("m2", "m3", "m4", "w1")),
    "change a role": (cluster("m1", "m2", "m3", "w1"), cluster("m1", "m2", "m3", "w1", roles={"m3": ["node"]})),
}


def sides(number):
    return SIDES if ALL else (SIDES[number // STRIDE % 3],)


def without_traces(state):
    """The end as people see it: steps that a second try repeats do not count."""
    machines = {name: {k: v for k, v in machine.items() if k not in ("done", "failed")} for name, machine in state["machines"].items()}
    return {**state, "machines": machines}


@pytest.mark.thorough
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_survives_the_operators_death_at_any_effect(edit):
    before, after = EDITS[edit]
    smooth = scenarios.edit(before, after, seed=11)
    assert smooth.problems == []
    assert len(smooth.effects) > 15
    for number in range(1, len(smooth.effects) + 1, STRIDE):
        for side in sides(number):
            outcome = scenarios.edit(before, after, seed=11, crash_at=number, side=side)
            where = f"{side} effect {number} ({smooth.effects[number - 1]})"
            assert outcome.problems == [], where
            assert scenarios.differences(without_traces(smooth.state), without_traces(outcome.state)) == [], where


@pytest.mark.thorough
@pytest.mark.timeout(3600)
def test_a_deletion_survives_the_operators_death_at_any_effect():
    spec = cluster("m1", "m2", "m3", "w1")
    smooth = scenarios.delete(spec, seed=12)
    assert smooth.problems == []
    for number in range(1, len(smooth.effects) + 1, 1 if ALL else 3):
        for side in sides(number):
            outcome = scenarios.delete(spec, seed=12, crash_at=number, side=side)
            assert outcome.problems == [], f"{side} effect {number} ({smooth.effects[number - 1]})"
