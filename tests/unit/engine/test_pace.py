"""The pace of a process follows from the machines of all its engines."""

from sealcluster.engine.pace import FULL_PACE, Pace


def test_a_few_machines_are_looked_at_as_often_as_one():
    pace = Pace()
    assert pace.slower() == 1.0
    pace.looks_after("a", 1)
    pace.looks_after("b", FULL_PACE - 1)
    assert pace.slower() == 1.0


def test_the_machines_of_all_engines_count_once():
    pace = Pace()
    for _ in range(3):
        pace.looks_after("a", FULL_PACE)
        pace.looks_after("b", 3 * FULL_PACE)
    assert pace.slower() == 4.0
    pace.looks_after("b", FULL_PACE)
    assert pace.slower() == 2.0


def test_an_engine_that_ended_counts_no_more():
    pace = Pace()
    pace.looks_after("a", 2 * FULL_PACE)
    pace.looks_after("b", 3 * FULL_PACE)
    pace.ended("a")
    pace.ended("never seen")
    assert pace.slower() == 3.0


def test_processes_know_nothing_of_each_other():
    Pace().looks_after("a", 100 * FULL_PACE)
    assert Pace().slower() == 1.0
