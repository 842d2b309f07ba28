"""What a turn tells of several problems."""

from dataclasses import replace
from datetime import UTC, datetime

from sealcluster.api.catalogue import CATALOGUE
from sealcluster.api.conditions import ConditionType, Reason
from sealcluster.api.summary import summarize
from sealcluster.core.plan import Action, PhasePlan, Problem
from sealcluster.engine.report import make_report
from sealcluster.engine.status import make_status
from unit.core.views import spec, view


def report(*problems):
    world = view(spec(1, 2))
    return make_report(world, {"preflight": PhasePlan(problems=problems)}, {}, {}, ["checking machines"])


def test_a_condition_shows_the_first_problem_with_its_hint_and_counts_the_others():
    found = report(
        Problem("ClockSkew", "w1: clock is 60 s ahead", "w1", "preflight", "run chrony"),
        Problem("DiskFull", "w2: 3 MiB free", "w2", "preflight", "free space"),
    )
    shown = found.account.details[ConditionType.PREFLIGHT_PASSED]
    assert (shown.reason, shown.message) == (Reason.CLOCK_SKEW, "w1: clock is 60 s ahead; run chrony (and 1 more)")


def test_what_needs_a_person_is_shown_before_what_passes_by_itself():
    found = report(
        Problem("CheckScriptFailed", "running check on w1: exit code 1", "w1", "bootstrap", terminal=False),
        Problem("ClockSkew", "w2: clock is 60 s ahead", "w2", "preflight", "run chrony"),
    )
    assert found.account.details[ConditionType.PREFLIGHT_PASSED].reason == Reason.CLOCK_SKEW


def test_a_problem_without_a_hint_of_its_own_gets_that_of_its_reason():
    (problem,) = report(Problem("SudoFailed", "becoming root on host w1: no", "w1", "connect")).problems
    assert problem.hint == CATALOGUE[Reason.SUDO_FAILED].cure


def test_a_machines_row_tells_its_first_problem_and_its_first_step():
    world = view(spec(1, 2))
    problems = (
        Problem("ClockSkew", "the clock is wrong", "w1", "preflight", "run chrony"),
        Problem("DiskFull", "the disk is full", "w1", "preflight", "free space"),
    )
    steps = {"w2": Action("join-nodes", "join", "w2"), "w2/certificates": Action("certificates", "request", "w2")}
    found = make_report(world, {"preflight": PhasePlan(problems=problems)}, steps, {}, ["checking machines"])
    rows = {row.name: row for row in make_status(found, (), datetime(2026, 1, 31, tzinfo=UTC), fingerprints={}, failure=None).hosts}
    assert rows["w1"].message == "the clock is wrong"
    assert rows["w2"].message == "join"


def test_the_same_problem_is_told_once():
    problem = Problem("ClockSkew", "w1: clock is 60 s ahead", "w1", "preflight", "run chrony")
    assert len(report(problem, replace(problem)).problems) == 1


def test_a_cluster_that_waits_for_a_person_is_stalled_and_not_reconciling():
    found = summarize(report(Problem("DuplicateHostname", "hostname same is shared", "", "preflight", "rename", cluster=True)).account)
    assert str(found[ConditionType.STALLED].status) == "True"
    assert str(found[ConditionType.RECONCILING].status) == "False"
    assert found[ConditionType.STALLED].message == "hostname same is shared; rename"
