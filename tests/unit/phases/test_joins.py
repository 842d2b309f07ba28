"""A join that was cut off and undone is a join like any other: it waits for all that the first one waited for."""

from dataclasses import replace

import pytest

from sealcluster.api import SealClusterSpec
from sealcluster.core.facts import JobFacts, JournalEntry, Owner
from sealcluster.core.view import HostView
from sealcluster.phases.join import JOIN, STEP
from sealcluster.phases.join_masters import JoinMasters
from sealcluster.phases.join_nodes import JoinNodes
from unit.core.views import CLUSTER_ID, facts, journal, running_view

CUT_OFF = JournalEntry(STEP, "d", 1, "started", None, 5.0)
UNDONE = JournalEntry("kubeadm-reset", "d", 1, "done", 0, 9.0)


def newcomer(name, role, state):
    """A finished cluster of two masters, one of which is sick, and one machine more whose join was cut off and undone."""
    world = running_view(2, sick=("m2",))
    document = world.spec.model_dump(mode="json", by_alias=True, exclude_unset=True)
    document["hosts"].append({"name": name, "address": "10.0.9.9", "roles": [role]})
    wanted = SealClusterSpec.model_validate(document)
    seen = facts(
        name,
        "10.0.9.9",
        owner=Owner(CLUSTER_ID, name),
        journal={**journal("claim"), STEP: CUT_OFF, "kubeadm-reset": UNDONE},
        jobs={STEP: JobFacts(STEP, "d", 1, state)},
    )
    row = replace(world.hosts["m1"].row, name=name, address="10.0.9.9", roles=(role,), machine_id=f"id-{name}")
    return replace(world, spec=wanted, hosts={**world.hosts, name: HostView(name, wanted.hosts[-1], row, seen)})


def planned(phase, name, role, state):
    (action,) = [a for a in phase.plan(newcomer(name, role, state)).actions if a.host == name]
    assert action.what == JOIN
    return action.needs


@pytest.mark.parametrize(("phase", "name", "role"), [(JoinMasters(), "m9", "master"), (JoinNodes(), "w9", "node")])
def test_a_join_that_was_cut_off_and_undone_waits_again(phase, name, role):
    assert planned(phase, name, role, "interrupted") == "its bootstrap"


@pytest.mark.parametrize(("phase", "name", "role"), [(JoinMasters(), "m9", "master"), (JoinNodes(), "w9", "node")])
def test_a_join_that_runs_is_waited_for_whatever_else_is_missing(phase, name, role):
    assert planned(phase, name, role, "running") == ""
