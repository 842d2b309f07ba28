"""When a wait is a standstill: pure, with time as a number."""

from dataclasses import replace

import pytest

from sealcluster.core.facts import JobFacts
from sealcluster.core.plan import Action, PhasePlan, Problem
from sealcluster.engine.waits import LONGEST_WAIT, Waits
from unit.core.views import spec, view

LISTEN = Action("distribute-registry", "offer parts", "m1", needs="the registry to answer", watch=("m1",))
FETCH = Action("distribute-rootfs", "fetch", "w1", needs="the registry's offer")
READY = Action("kubeconfig", "write the kubeconfig", needs="a master whose API server answers")
PLANS = {"distribute-rootfs": PhasePlan((FETCH,)), "distribute-registry": PhasePlan((LISTEN,)), "kubeconfig": PhasePlan((READY,))}


def at(seconds, **more):
    return replace(view(spec(1, 2)), steady=seconds, **more)


def told(problems=(), running=None, plans=PLANS, world=None):
    """What is overdue after the longest wait, where nothing has changed since the beginning."""
    waits = Waits()
    assert waits.overdue(at(0), plans, {}, ()) == ()
    return [(p.reason, p.host) for p in waits.overdue(world or at(LONGEST_WAIT), plans, running or {}, problems)]


def test_the_step_that_waits_for_what_happens_by_itself_is_told_and_not_those_behind_it():
    assert told() == [("RegistryFailed", "m1")]


def test_without_one_the_earliest_is_told():
    assert told(plans={"distribute-rootfs": PhasePlan((FETCH,)), "kubeconfig": PhasePlan((READY,))}) == [("WaitTimedOut", "w1")]
    assert told(plans={"node-settings": PhasePlan((replace(READY, phase="node-settings"),))}) == [("WaitTimedOut", "")]


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        (Problem("ClockSkew", "", "w2", "preflight"), [("RegistryFailed", "m1")]),
        (Problem("HostUnreachable", "", "m1", "connect", terminal=False), []),
        (Problem("ImageNotFound", "", cluster=True), []),
    ],
)
def test_what_has_a_problem_of_its_own_is_not_told_twice(problem, expected):
    assert told((problem,)) == expected


def test_any_problem_explains_why_the_cluster_waits():
    plans = {"kubeconfig": PhasePlan((READY,))}
    assert told(plans=plans) == [("WaitTimedOut", "")]
    assert told((Problem("HostUnreachable", "", "w2", "connect", terminal=False),), plans=plans) == []


def test_a_wait_for_a_machine_that_is_named_waits_for_what_is_wrong_with_it():
    turn = Action("join-masters", "join", "m3", needs="m2 to join first", watch=("m3",))
    plans = {"join-masters": PhasePlan((turn,))}
    assert told(plans=plans) == [("ControlPlaneUnhealthy", "m3")]
    assert told((Problem("DiskFull", "", "m2", "preflight"),), plans=plans) == []
    assert told((Problem("DiskFull", "", "w1", "preflight"),), plans=plans) == [("ControlPlaneUnhealthy", "m3")]


def test_nothing_is_overdue_while_something_moves():
    busy = Action("join-nodes", "join", "w2")
    assert told(running={"w2": busy}) == []
    assert told(world=at(LONGEST_WAIT - 1)) == []
    assert told(world=replace(at(LONGEST_WAIT), spec=spec(1, 2, paused=True))) == []


def test_a_job_that_runs_on_a_machine_moves():
    world = at(LONGEST_WAIT)
    host = world.hosts["w1"]
    facts = replace(host.facts, jobs={"check": JobFacts("check", "d", 1, "running")})
    assert told(world=replace(world, hosts={**world.hosts, "w1": replace(host, facts=facts)})) == []


def test_a_change_of_what_is_waited_for_begins_anew():
    waits = Waits()
    waits.overdue(at(0), PLANS, {}, ())
    other = {**PLANS, "kubeconfig": PhasePlan((replace(READY, needs="an API server"),))}
    assert waits.overdue(at(LONGEST_WAIT), other, {}, ()) == ()
    assert len(waits.overdue(at(2 * LONGEST_WAIT), other, {}, ())) == 1
