"""Machines that are gone: released only when a person names them, replaced by an edit, and never at the price of the quorum."""

import pytest

from sealcluster.api import ACKNOWLEDGE_LOST_ANNOTATION
from sim.lives import cluster, live


def gone(life, *names):
    """The annotation by which a person says that these machines are lost."""
    return {ACKNOWLEDGE_LOST_ANNOTATION: ", ".join(f"{n}={life.machine(n).machine_id}" for n in names)}


@pytest.mark.thorough
def test_the_first_master_and_registry_dies_and_is_replaced_by_an_edit():
    async def story(life):
        await life.settled()
        registry = life.machine("m1")
        assert registry.registry.tree is not None
        life.world.power_off(registry)
        life.sim.wish(cluster("m2", "m3", "m4", "w1"))
        blocked = await life.until(lambda r: r.blocked and r.view.generation == 2)
        assert blocked.account.blocked.reason == "LostHostNeedsAcknowledgement"
        assert registry.machine_id in blocked.account.blocked.message
        assert life.voters() == ["m1", "m2", "m3"], "nothing of it goes before a person said so"
        life.sim.wish(cluster("m2", "m3", "m4", "w1"), annotations=gone(life, "m1"))
        await life.settled()
        assert life.voters() == ["m2", "m3", "m4"]
        assert life.nodes() == life.inventory() == ["m2", "m3", "m4", "w1"]
        assert life.machine("m2").registry.tree is not None
        assert "https://10.0.0.11:" not in life.sim.management.kubeconfig
        await life.wish(cluster("m2", "m3", "m4", "w1", "w2"), annotations=gone(life, "m1"))
        assert life.machine("w2").images, "the newcomer pulled from the registry that moved"

    live(cluster("m1", "m2", "m3", "w1"), story)


def test_a_lost_worker_holds_up_nobody_and_goes_when_named():
    async def story(life):
        await life.settled()
        life.world.power_off(life.machine("w1"))
        life.sim.wish(cluster("m1", "w2", "w3"))
        await life.until(lambda r: r.blocked and "w3" in r.view.cluster.nodes and r.view.cluster.nodes["w3"].ready)
        life.sim.wish(cluster("m1", "w2", "w3"), annotations=gone(life, "w1"))
        await life.settled()
        assert life.nodes() == life.inventory() == ["m1", "w2", "w3"]

    live(cluster("m1", "w1", "w2"), story)


def test_the_annotation_must_name_the_very_machine():
    async def story(life):
        await life.settled()
        life.world.power_off(life.machine("w1"))
        life.sim.wish(cluster("m1"), annotations={ACKNOWLEDGE_LOST_ANNOTATION: "w1=somebody-else"})
        await life.until(lambda r: r.blocked)
        assert "w1" in life.inventory()

    live(cluster("m1", "w1"), story)


def test_a_machine_that_comes_back_is_cleaned_after_all():
    async def story(life):
        await life.settled()
        life.world.power_off(life.machine("w1"))
        life.sim.wish(cluster("m1"))
        await life.until(lambda r: r.blocked)
        life.world.power_on(life.machine("w1"))
        await life.settled()
        assert life.clean("w1") == []
        assert life.nodes() == ["m1"]

    live(cluster("m1", "w1"), story)


def test_putting_the_row_back_before_the_machine_was_seen_again_costs_nothing():
    async def story(life):
        await life.settled()
        life.world.power_off(life.machine("w1"))
        life.sim.wish(cluster("m1"))
        await life.until(lambda r: r.blocked)
        life.work()
        life.sim.wish(cluster("m1", "w1"))
        life.world.power_on(life.machine("w1"))
        await life.settled()
        assert set(life.work().get("w1", ())) <= {"hosts"}, "no more than after any reboot"

    live(cluster("m1", "w1"), story)


def test_a_master_does_not_leave_while_the_rest_could_not_vote():
    async def story(life):
        await life.settled()
        life.world.power_off(life.machine("m2"))
        await life.until(lambda r: r.view.hosts["m2"].failures >= 3)
        life.sim.wish(cluster("m2", "m3"))
        refused = await life.until(lambda r: r.blocked and r.view.generation == 2)
        assert "removing etcd member m1 would leave 1 healthy of 2 members, 2 are needed for quorum" in refused.account.blocked.message
        assert refused.account.blocked.reason == "QuorumAtRisk"
        assert not life.kube.nodes["m1"].unschedulable, "a refused removal does not even begin"
        life.world.power_on(life.machine("m2"))
        await life.settled()
        assert life.voters() == ["m2", "m3"]
        assert life.clean("m1") == []

    live(cluster("m1", "m2", "m3"), story)


def test_another_machine_at_the_same_address_is_not_cleaned():
    async def story(life):
        await life.settled()
        machine = life.machine("w1")
        old = machine.machine_id
        key = machine.host_key
        machine.reinstall(life.world.now())
        machine.host_key = key
        life.sim.wish(cluster("m1"))
        await life.until(lambda r: r.blocked)
        life.work()
        life.sim.wish(cluster("m1"), annotations={ACKNOWLEDGE_LOST_ANNOTATION: f"w1={old}"})
        await life.settled()
        assert life.work() == {}
        await life.wish(cluster("m1", "w1"))
        assert life.nodes() == ["m1", "w1"]

    live(cluster("m1", "w1"), story)


@pytest.mark.thorough
def test_the_master_that_was_to_initialise_dies_before_it_did():
    async def story(life):
        await life.until(lambda r: r.view.state.init.attempt == 1)
        life.world.power_off(life.machine("m1"))
        life.sim.wish(cluster("m2", "w1"))
        await life.until(lambda r: r.blocked)
        life.sim.wish(cluster("m2", "w1"), annotations=gone(life, "m1"))
        await life.settled()
        assert life.voters() == ["m2"]

    live(cluster("m1", "m2", "w1"), story)


def test_the_master_that_initialises_is_removed_meanwhile():
    async def story(life):
        await life.until(lambda r: r.view.state.init.attempt == 1)
        await life.wish(cluster("m2", "w1"))
        assert life.voters() == ["m2"]
        assert life.clean("m1") == []

    live(cluster("m1", "m2", "w1"), story)
