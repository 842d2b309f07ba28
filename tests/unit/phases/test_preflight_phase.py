"""Which failed checks stand in the way, and of whom."""

from dataclasses import replace

from sealcluster.core.facts import Owner
from sealcluster.core.view import HostView
from sealcluster.phases.preflight import Preflight
from unit.core.views import CLUSTER_ID, facts, running_view


def with_newcomer(joined, **more):
    """A finished cluster whose spec has one more worker, w9, with these facts."""
    world = running_view(1, 1)
    row = world.hosts["w1"].spec.model_copy(update={"name": "w9", "address": "10.0.1.9"})
    newcomer = HostView("w9", row, None, facts("w9", "10.0.1.9", **more))
    return replace(world, hosts={**world.hosts, "w9": newcomer} if joined else {"w9": newcomer, **world.hosts})


def test_a_newcomer_with_the_hostname_of_a_member_is_refused_wherever_it_stands_in_the_list():
    for order in (True, False):
        (problem,) = Preflight().plan(with_newcomer(order, hostname="m1")).problems
        assert (problem.reason, problem.cluster) == ("DuplicateHostname", True)
        assert "w9" in problem.message


def test_members_that_share_a_hostname_are_left_in_peace_while_nobody_comes():
    world = running_view(1, 1)
    hosts = {n: replace(h, facts=replace(h.facts, hostname="same")) for n, h in world.hosts.items()}
    assert Preflight().plan(replace(world, hosts=hosts)).problems == ()


def test_what_we_bring_to_a_machine_is_nothing_that_was_there_before():
    found = {"leftovers": ("/etc/kubernetes/admin.conf",), "listening": frozenset({10250})}
    assert Preflight().plan(with_newcomer(True, **found)).problems
    ours = with_newcomer(True, owner=Owner(CLUSTER_ID, "w9"), **found)
    assert Preflight().plan(ours).problems == ()
