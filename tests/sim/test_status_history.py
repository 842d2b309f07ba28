"""The judge of status: it reports every transition time that stayed behind, and none that a second's resolution explains."""

import pytest

from sealcluster.testing.contract import StatusHistory


def body(*conditions):
    rows = [
        {"type": kind, "status": status, "reason": "Because", "message": "", "lastTransitionTime": at(second)}
        for kind, status, second in conditions
    ]
    return {"metadata": {"uid": "u", "generation": 1}, "status": {"observedGeneration": 1, "conditions": rows}}


def at(second):
    return f"2026-01-31T12:00:{second:02d}Z"


def judged(*versions):
    """What is said of the last of several versions: when it was seen, and its conditions."""
    history = StatusHistory()
    found = []
    for seen, *conditions in versions:
        found = history.seen(body(*conditions), at(seen))
    return found


@pytest.mark.parametrize("seen", [5, 6])
def test_a_condition_may_flip_twice_within_one_second(seen):
    """At 5.1 it became False, at 5.98 True; what was written then is seen at 6.01."""
    assert judged((5, ("Ready", "False", 5)), (seen, ("Ready", "True", 5))) == []


def test_two_conditions_may_flip_twice_within_one_second():
    first = (5, ("Ready", "False", 5), ("Reconciling", "True", 5))
    assert judged(first, (6, ("Ready", "True", 5), ("Reconciling", "False", 5))) == []


@pytest.mark.parametrize("seen", [7, 30])
def test_a_transition_time_that_stayed_is_reported(seen):
    (wrong,) = judged((5, ("Ready", "False", 5)), (seen, ("Ready", "True", 5)))
    assert wrong == f"Ready became True and its lastTransitionTime stayed {at(5)}"


def test_a_status_that_is_known_to_have_held_longer_did_not_flip_in_its_first_second():
    """The version before shows a later moment, and still the old status."""
    versions = (5, ("Ready", "False", 5)), (6, ("Ready", "False", 5), ("Available", "True", 6)), (6, ("Ready", "True", 5))
    assert len(judged(*versions)) == 1


@pytest.mark.parametrize(
    ("second", "text"),
    [(4, f"Ready: lastTransitionTime fell from {at(5)} to {at(4)}"), (9, f"Ready: lastTransitionTime {at(9)} is ahead of {at(8)}")],
)
def test_a_transition_time_neither_falls_nor_is_ahead(second, text):
    assert judged((5, ("Ready", "False", 5)), (8, ("Ready", "True", second))) == [text]


def test_an_object_of_the_same_name_begins_anew():
    history = StatusHistory()
    history.seen(body(("Ready", "True", 5)), at(6))
    other = body(("Ready", "False", 1))
    other["metadata"]["uid"] = "v"
    assert history.seen(other, at(9)) == []
