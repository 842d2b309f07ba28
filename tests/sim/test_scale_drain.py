"""Nodes are emptied before they go: within the budget, and what blocks is named."""

import pytest

from sim.lives import cluster, live


def fill(life, pods=6):
    """Pods on every node."""
    for node in life.kube.nodes.values():
        node.pods = pods


def test_a_drain_that_a_budget_blocks_says_which_and_goes_on_when_it_may():
    async def story(life):
        await life.settled()
        fill(life)
        life.kube.blocked_evictions["w1"] = "pod default/web-0: Cannot evict pod as it would violate the pod's disruption budget web"
        life.sim.wish(cluster("m1", "w2"))
        told = await life.until(lambda r: any(p.reason == "DrainBlocked" for p in r.problems))
        problem = next(p for p in told.problems if p.reason == "DrainBlocked")
        assert problem.host == "w1"
        assert "disruption budget web" in problem.message
        assert not told.blocked, "within the timeout it is tried again by itself"
        blocked = await life.until(lambda r: r.blocked)
        assert blocked.account.blocked.reason == "DrainBlocked"
        assert blocked.view.now - told.view.now >= 200, "not before spec.rollout.drain.timeout"
        assert life.machine("w1").leftovers(), "nothing was cleaned under running pods"
        life.kube.blocked_evictions.clear()
        await life.settled(limit=120)
        assert life.clean("w1") == []

    live(cluster("m1", "w1", "w2"), story)


def test_a_short_timeout_asks_a_person_sooner():
    async def story(life):
        await life.settled()
        fill(life)
        life.kube.blocked_evictions["w1"] = "budget"
        began = life.world.now()
        life.sim.wish(cluster("m1", "w2", rollout={"drain": {"timeout": "1m"}}))
        blocked = await life.until(lambda r: r.blocked)
        assert blocked.view.now - began < 90

    live(cluster("m1", "w1", "w2"), story)


@pytest.mark.thorough
@pytest.mark.parametrize(("budget", "most"), [(1, 1), (2, 2), ("50%", 2)])
def test_no_more_nodes_are_emptied_at_once_than_the_budget_allows(budget, most):
    async def story(life):
        await life.settled()
        fill(life, pods=40)
        seen = []

        def count(report):
            nodes = life.kube.nodes.values()
            seen.append(sum(1 for n in nodes if n.unschedulable and n.pods > 0))

        life.each.append(count)
        await life.wish(cluster("m1", "w1", "w6", "w7", "w8", rollout={"maxUnavailable": budget}))
        assert max(seen) == most
        assert life.clean("w2", "w3", "w4", "w5") == []

    live(cluster("m1", *(f"w{n}" for n in range(1, 9))), story)


def test_pods_of_a_node_whose_kubelet_is_dead_hold_up_nothing():
    async def story(life):
        await life.settled()
        life.kube.nodes["w1"].pods = 3
        life.machine("w1").units.stop("kubelet", life.world.now(), failed=True)
        life.machine("w1").units.table["kubelet"].enabled = False
        life.machine("w1").slow = 1.0
        await life.wish(cluster("m1"), limit=900)
        assert life.clean("w1") == []

    live(cluster("m1", "w1"), story)


def test_no_node_is_cleaned_while_no_api_server_can_tell_what_runs_there():
    async def story(life):
        await life.settled()
        fill(life)
        life.sim.workloads.failing = True
        await life.until(lambda r: not r.view.cluster.reachable)
        life.work()
        life.sim.wish(cluster("m1", "w2"))
        waiting = await life.until(lambda r: r.view.generation == 2 and r.view.now > life.world.now() - 1)
        assert any(a.needs == "a master whose API server answers" for a in waiting.plans["leave"].actions)
        assert "w1" not in life.work()
        life.sim.workloads.failing = False
        await life.settled()
        assert life.kube.nodes.keys() == {"m1", "w2"}

    live(cluster("m1", "w1", "w2"), story)
