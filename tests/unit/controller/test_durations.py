"""How long phases take follows from reports and from what the status says of those that were begun before."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sealcluster.api import PhaseStart, Progress, SealClusterSpec, SealClusterStatus
from sealcluster.api.summary import Account, Note
from sealcluster.controller.durations import BUCKETS, KNOWN, Ended, Outcome, PhaseClock, PhaseDurations
from sealcluster.core.plan import Action, PhasePlan, Problem
from sealcluster.core.state import StateRecord
from sealcluster.core.view import ClusterView
from sealcluster.engine import Report
from sealcluster.phases import PHASES

START = datetime(2026, 1, 31, 12, 0, 0, 600_000, UTC)
HOST = {"name": "m1", "address": "10.0.0.1", "roles": ["master"]}
SPEC = SealClusterSpec.model_validate(
    {
        "images": [{"name": "kubernetes", "ref": "registry.example/kubernetes:v1.34.4"}],
        "hosts": [HOST],
        "ssh": {"credentialsSecretRef": {"name": "ssh"}},
    }
)
WORK = Account(working=Note("Provisioning", "working"))
STUCK = Account(blocked=Note("HostUnreachable", "a person is needed"))
JOIN = Action("join-nodes", "join", "w1")
LEFT = PhasePlan(actions=(JOIN,), total=1)
DONE = PhasePlan(done=1, total=1)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def report(plans: dict[str, PhasePlan], *running: Action, account: Account = WORK, **spec: Any) -> Report:
    view = ClusterView("demo", "ns", 1, SPEC.model_copy(update=spec), StateRecord("c1"), {})
    return Report(view, plans, {a.lane: a for a in running}, {}, None, account, ())


def told(*rows: tuple[str, str]) -> SealClusterStatus:
    under_way = tuple(PhaseStart(phase=phase, since=since) for phase, since in rows)
    return SealClusterStatus(progress=Progress(phase="join-nodes", done=0, total=1, message="", under_way=under_way))


def begun() -> PhaseClock:
    clock = PhaseClock(SealClusterStatus())
    assert clock.seen(report({"join-nodes": LEFT}, JOIN), at(0)) == []
    return clock


def test_a_phase_lasts_from_its_first_step_until_nothing_is_left():
    clock = begun()
    assert clock.under_way == (PhaseStart(phase="join-nodes", since="2026-01-31T12:00:00Z"),)
    assert clock.seen(report({"join-nodes": LEFT}, JOIN), at(20)) == []
    assert clock.seen(report({"join-nodes": DONE}), at(61)) == [Ended("join-nodes", Outcome.FINISHED, 61.0)]
    assert clock.under_way is None
    assert clock.seen(report({"join-nodes": DONE}), at(70)) == []


def test_what_only_waits_has_not_begun():
    clock = PhaseClock(SealClusterStatus())
    clock.seen(report({"join-nodes": LEFT}), at(0))
    assert clock.under_way is None


def test_a_step_whose_effect_was_seen_before_it_ended_begins_nothing_anew():
    clock = begun()
    clock.seen(report({"join-nodes": DONE}, JOIN), at(5))
    assert clock.under_way is None


@pytest.mark.parametrize(
    ("later", "outcome"),
    [
        (report({"join-nodes": PhasePlan(done=1, total=2)}), Outcome.INCOMPLETE),
        (report({"join-nodes": PhasePlan(problems=(Problem("HostUnreachable", "x"),), done=1, total=1)}), Outcome.INCOMPLETE),
        (report({"join-nodes": LEFT}, account=STUCK), Outcome.STALLED),
        (report({"join-nodes": LEFT}, JOIN, paused=True), Outcome.INTERRUPTED),
        (report({"teardown": LEFT}), Outcome.INTERRUPTED),
    ],
)
def test_phases_that_end_otherwise_say_how(later: Report, outcome: Outcome):
    clock = begun()
    assert clock.seen(later, at(9)) == [Ended("join-nodes", outcome, 9.0)]
    assert clock.under_way is None, "and what stands still is not under way"


def test_a_phase_that_stood_still_begins_anew():
    clock = begun()
    clock.seen(report({"join-nodes": LEFT}, account=STUCK), at(10))
    clock.seen(report({"join-nodes": LEFT}, JOIN), at(500))
    assert clock.seen(report({"join-nodes": DONE}), at(507)) == [Ended("join-nodes", Outcome.FINISHED, 7.0)]


def test_a_spec_that_became_unusable_interrupts():
    assert begun().interrupt(at(3)) == [Ended("join-nodes", Outcome.INTERRUPTED, 3.0)]


def test_an_operator_that_comes_later_counts_from_the_beginning():
    clock = PhaseClock(told(("join-nodes", "2026-01-31T11:59:00Z")))
    assert clock.seen(report({"join-nodes": LEFT}, JOIN), at(0)) == []
    assert clock.seen(report({"join-nodes": DONE}), at(30)) == [Ended("join-nodes", Outcome.FINISHED, 90.0)]


def test_plans_made_without_the_images_end_nothing_that_was_found_begun():
    clock = PhaseClock(told(("guests", "2026-01-31T11:59:00Z")))
    pull = Action("pull-images", "pull images for amd64")
    pulling = {"pull-images": PhasePlan(actions=(pull,), total=1), "guests": PhasePlan()}
    assert clock.seen(report(pulling, pull), at(0)) == []
    pulled = {"pull-images": DONE, "guests": DONE}
    assert {(e.phase, e.seconds) for e in clock.seen(report(pulled), at(2))} == {("pull-images", 2.0), ("guests", 62.0)}


def test_an_engine_that_starts_again_knows_no_images_either():
    clock = begun()
    clock.resume()
    pull = Action("pull-images", "pull images for amd64")
    assert clock.seen(report({"pull-images": PhasePlan(actions=(pull,)), "join-nodes": PhasePlan()}, pull), at(1)) == []


def test_a_clock_that_is_behind_makes_no_time_less_than_nothing():
    clock = PhaseClock(told(("join-nodes", "2026-01-31T13:00:00Z")))
    assert clock.seen(report({"join-nodes": DONE}), at(0)) == [Ended("join-nodes", Outcome.FINISHED, 0.0)]


def test_what_somebody_else_wrote_makes_no_labels_and_no_faults():
    clock = PhaseClock(told(("bogus", "2026-01-31T12:00:00Z"), ("guests", "yesterday")))
    assert clock.under_way is None
    assert {phase.name for phase in PHASES} < KNOWN


def test_durations_are_counted_by_phase_and_outcome():
    durations = PhaseDurations()
    durations.add(Ended("guests", Outcome.FINISHED, seconds) for seconds in (0, 1, 1.5, 99_999))
    durations.add([Ended("guests", Outcome.STALLED, 40)])
    found = durations.found()
    assert found["guests", "finished"].counts == [2, 1, *[0] * (len(BUCKETS) - 2), 1]
    assert found["guests", "finished"].seconds == pytest.approx(100_001.5)
    assert sum(found["guests", "stalled"].counts) == 1
    assert found["guests", "stalled"].seconds == 40
