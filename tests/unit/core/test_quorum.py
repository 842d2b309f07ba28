"""etcd's arithmetic, as a table and as a promise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealcluster.core.facts import EtcdMember
from sealcluster.core.quorum import EtcdState, etcd_state, may_add, may_remove

from .views import running_view


def state(voters, sick=(), learners=()):
    names = [f"m{n}" for n in range(1, voters + 1)]
    members = tuple(EtcdMember(str(n), name, False) for n, name in enumerate(names))
    return EtcdState(members, tuple(EtcdMember("9", name, True) for name in learners), frozenset(n for n in names if n not in sick))


@pytest.mark.parametrize(
    ("voters", "sick", "learners", "allowed"),
    [
        (1, (), (), True),
        (1, ("m1",), (), False),
        (2, (), (), True),
        (2, ("m1",), (), False),
        (3, (), (), True),
        (3, ("m1",), (), False),
        (5, ("m1",), (), True),
        (5, ("m1", "m2"), (), False),
        (1, (), ("m2",), False),
        (0, (), (), False),
    ],
)
def test_a_member_is_added_only_while_the_larger_cluster_keeps_quorum_without_it(voters, sick, learners, allowed):
    assert (may_add(state(voters, sick, learners)) == "") is allowed


@pytest.mark.parametrize(
    ("voters", "sick", "victim", "allowed"),
    [
        (3, (), "m1", True),
        (3, ("m1",), "m1", True),
        (3, ("m2",), "m1", False),
        (2, (), "m1", True),
        (2, ("m1",), "m1", True),
        (2, ("m2",), "m1", False),
        (1, (), "m1", False),
        (5, ("m1", "m2"), "m3", False),
        (5, ("m1", "m2"), "m1", True),
        (3, (), "stranger", True),
    ],
)
def test_a_member_is_removed_only_while_the_rest_keeps_quorum(voters, sick, victim, allowed):
    assert (may_remove(state(voters, sick), victim) == "") is allowed


def test_a_refusal_tells_the_numbers():
    assert may_remove(state(3, ("m2",)), "m1") == "removing etcd member m1 would leave 1 healthy of 2 members, 2 are needed for quorum"


@given(st.integers(1, 9), st.sets(st.integers(1, 9)), st.integers(1, 9))
def test_whatever_is_allowed_to_leave_leaves_quorum_behind(voters, sick, victim):
    before = state(voters, tuple(f"m{n}" for n in sick))
    if may_remove(before, f"m{victim}") == "" and before.member(f"m{victim}"):
        left = [m for m in before.voters if m.name != f"m{victim}"]
        healthy = sum(1 for m in left if m.name in before.healthy)
        assert healthy >= len(left) // 2 + 1


def test_the_member_list_comes_from_a_member_that_answers():
    seen = etcd_state(running_view(3, sick=("m2",)))
    assert len(seen.voters) == 3
    assert seen.healthy == {"m1", "m3"}
    assert (seen.quorum, seen.healthy_voters) == (2, 2)
