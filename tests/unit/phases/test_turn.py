"""Masters join one at a time, also where nobody can see that one is still at it."""

import asyncio
from dataclasses import replace

import pytest

from sealcluster.core.errors import JobFailed, TerminalError, TransientError
from sealcluster.core.state import StateRecord
from sealcluster.phases.leave import Leave
from sealcluster.phases.turn import UNSEEN, out_of_sight, turn_of, wait_for
from unit.core.views import running_view


def world(changing="m3", **more):
    """Three masters; the third one, whose join is on record, has not been seen for a minute."""
    seen = running_view(3, gone=("m3",))
    hidden = replace(seen.hosts["m3"], unseen=more.pop("unseen", 60.0), **more)
    return replace(seen, state=replace(seen.state, changing=changing), hosts={**seen.hosts, "m3": hidden})


def test_a_join_may_run_where_nobody_sees_it():
    assert out_of_sight(world()) == "m3"


def test_its_node_is_no_proof_that_it_has_ended():
    assert "m3" in world().cluster.nodes
    assert out_of_sight(world()) == "m3"


@pytest.mark.parametrize(
    "seen",
    [world(changing=""), world(unseen=UNSEEN), world(facts=running_view(3).hosts["m3"].facts), world(changing="released")],
    ids=["its end was seen", "for longer than a join may take", "it is seen", "no such machine"],
)
def test_otherwise_there_is_nothing_to_wait_for(seen):
    assert out_of_sight(seen) == ""


def test_a_member_is_not_removed_beside_it():
    seen = world()
    leaving = replace(seen.hosts["m2"], row=replace(seen.hosts["m2"].row, leaving=True), spec=None)
    turn = Leave._turn(replace(seen, hosts={**seen.hosts, "m2": leaving}), leaving, [], "")
    assert turn == wait_for("m3")


def test_the_member_of_that_machine_itself_may_be_removed():
    seen = world()
    assert Leave._turn(seen, seen.hosts["m3"], [], "") == ""


class Record:
    """What `Context.gate` is to a turn."""

    def __init__(self, changing=""):
        self.gate = self
        self.state = StateRecord("c0ffee", changing=changing)
        self.seen = []

    async def update_state(self, change):
        self.state = change(self.state)
        self.seen.append(self.state.changing)


async def taken(record, error=None, meanwhile=""):
    async with turn_of(record, "m3"):
        assert record.state.changing == "m3"
        if meanwhile:
            record.state = replace(record.state, changing=meanwhile)
        if error is not None:
            raise error


def ends(error):
    record = Record()
    with pytest.raises(type(error)):
        asyncio.run(taken(record, error))
    return record.state.changing


def test_the_turn_is_given_back_when_its_end_was_seen():
    record = Record()
    asyncio.run(taken(record))
    assert record.seen == ["m3", ""]
    assert ends(JobFailed("changing: kubeadm failed", exit_code=1)) == ""


def test_the_turn_is_kept_when_its_end_was_not_seen():
    assert ends(TransientError("waiting: the connection was lost")) == "m3"
    assert ends(TransientError("waiting: the script that follows the job was ended with its sshd", exit_code=-15)) == "m3"
    assert ends(TerminalError("becoming root: refused", exit_code=1)) == "m3"
    assert ends(asyncio.CancelledError()) == "m3"


def test_the_turn_of_another_is_not_given_back():
    record = Record()
    asyncio.run(taken(record, meanwhile="m2"))
    assert record.state.changing == "m2"
