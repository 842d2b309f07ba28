"""Events without spam: what is told once, what again, and what never."""

from dataclasses import replace

from sealcluster.controller.story import MILESTONE, QUIET, Story
from sealcluster.core.plan import Action, PhasePlan, Problem
from sealcluster.engine.report import make_report
from unit.core.views import spec, view

FULL = Problem("DiskFull", "w1: 3 MiB free", "w1", "preflight", "free space")
SILENT = Problem("HostUnreachable", "connecting to w2: timed out", "w2", "connect", "check it", terminal=False)


def report(at, *problems, plans=None, ready=None):
    world = replace(view(spec(1, 2)), steady=float(at))
    found = make_report(world, {"preflight": PhasePlan(problems=problems), **(plans or {})}, {}, {}, [])
    return found if ready is None else type("Report", (), {**found.__dict__, "ready": ready})()


def texts(told):
    return [(t.reason, t.warning) for t in told]


def test_a_problem_is_told_when_it_begins_with_its_hint_and_not_while_it_lasts():
    story = Story()
    (first,) = story.new(report(0, FULL))
    assert (first.reason, first.text, first.warning) == ("DiskFull", "w1: 3 MiB free; free space", True)
    assert [t for at in range(1, 5000, 13) for t in story.new(report(at, FULL))] == []


def test_other_words_are_no_news():
    story = Story()
    assert len(story.new(report(0, FULL))) == 1
    assert story.new(report(1, replace(FULL, message="w1: 2 MiB free"))) == []
    assert texts(story.new(report(2, replace(FULL, host="w2")))) == [("DiskFull", True)]
    assert texts(story.new(report(3, replace(FULL, reason="ClockSkew")))) == [("ClockSkew", True)]


def test_what_comes_and_goes_is_told_once_until_it_was_away_for_long():
    story = Story()
    told = [t for at in range(0, 3000, 20) for t in story.new(report(at, *([SILENT] if at % 100 < 60 else [])))]
    assert texts(told) == [("HostUnreachable", True)]
    story.new(report(3000, SILENT))
    assert texts(story.new(report(3000 + QUIET + 1, SILENT))) == [("HostUnreachable", True)]


def test_one_problem_does_not_hide_another():
    story = Story()
    assert texts(story.new(report(0, FULL, SILENT))) == [("DiskFull", True), ("HostUnreachable", True)]


def test_what_is_in_the_way_of_a_new_wish_is_news():
    story = Story()
    story.new(report(0, FULL))
    story.forget()
    assert texts(story.new(report(1, FULL))) == [("DiskFull", True)]


def left(*names, done=0, total=2):
    return {name: PhasePlan((Action(name, "do it"),), done=done, total=total) for name in names}


def ended(*names, total=2):
    return {name: PhasePlan(done=total, total=total) for name in names}


def test_a_milestone_is_told_when_it_is_reached_and_only_then():
    story = Story()
    assert story.new(report(0, plans=left("join-nodes", "hosts-entries"))) == []
    (told,) = story.new(report(1, plans=ended("join-nodes", "hosts-entries")))
    assert (told.reason, told.text, told.warning) == (MILESTONE, "joining workers: done (2 of 2)", False)
    assert story.new(report(2, plans=ended("join-nodes", "hosts-entries"))) == []


def test_what_was_done_before_is_no_milestone_of_ours():
    assert Story().new(report(0, plans=ended("join-nodes", "guests"))) == []


def test_a_phase_with_a_problem_is_not_done():
    story = Story()
    story.new(report(0, plans=left("join-nodes")))
    stuck = {"join-nodes": PhasePlan(problems=(FULL,), done=1, total=2)}
    assert texts(story.new(report(1, plans=stuck))) == [("DiskFull", True)]


def test_ready_is_told_each_time_it_becomes_so():
    story = Story()
    told = [t.reason for at, ready in enumerate((False, True, True, False, True)) for t in story.new(report(at, ready=ready))]
    assert told == ["ClusterReady", "ClusterReady"]
    story.forget()
    assert [t.reason for t in story.new(report(9, ready=True))] == ["ClusterReady"]
