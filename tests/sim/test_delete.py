"""Deletion: Reset leaves clean machines and no records; Retain leaves a running cluster that the same object takes up again."""

import pytest

from sealcluster.api import ACKNOWLEDGE_LOST_ANNOTATION
from sim.lives import cluster, live

MOMENTS = ["claim", "rootfs-parts", "registry", "check", "init", "pull", "kubeadm-init", "kubeadm-join", "load-balancer", "guest-cni"]


def begun(life, step):
    """True once the step was started anywhere."""
    return any(key[1] == step for key in life.world.ledger.starts)


async def deleted(life, spec, limit=3600, **more):
    """Ask for deletion and wait until everything is released."""
    life.sim.wish(spec, deleting=True, **more)
    await life.until(lambda _report: False, limit)
    assert life.sim.operators[-1].finished
    assert life.sim.management.state is None


@pytest.mark.parametrize("names", [("m1",), ("m1", "w1"), ("m1", "m2", "m3", "w1", "w2")])
def test_a_finished_cluster_is_reset(names):
    async def story(life):
        await life.settled()
        life.work()
        await deleted(life, cluster(*names))
        assert life.work() == {name: ["clean"] for name in names}
        assert life.clean(*names) == []

    live(cluster(*names), story)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_cluster_is_reset_while_it_is_being_made(moment):
    async def story(life):
        await life.until(lambda r: begun(life, moment))
        began = life.world.now()
        await deleted(life, cluster("m1", "m2", "w1"))
        assert life.world.now() - began < 300, "what still ran was not waited for"
        assert life.clean("m1", "m2", "w1") == []

    live(cluster("m1", "m2", "w1"), story, seed=MOMENTS.index(moment))


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_half_made_cluster_of_a_dead_operator_is_reset_by_the_next(moment):
    async def story(life):
        await life.until(lambda r: begun(life, moment))
        await life.sim.operators[-1].kill()
        life.sim.wish(cluster("m1", "m2", "w1"), deleting=True)
        life.begin()
        await life.until(lambda _report: False, 3600)
        assert life.clean("m1", "m2", "w1") == []

    live(cluster("m1", "m2", "w1"), story, seed=MOMENTS.index(moment))


@pytest.mark.thorough
def test_a_cluster_is_reset_in_the_middle_of_a_scale_up():
    async def story(life):
        await life.settled()
        life.sim.wish(cluster("m1", "m2", "m3", "w1", "w2"))
        await life.until(lambda r: "kubeadm-join" in r.view.hosts["m2"].facts.journal if r.view.hosts["m2"].facts else False)
        await deleted(life, cluster("m1", "m2", "m3", "w1", "w2"))
        assert life.clean("m1", "m2", "m3", "w1", "w2") == []

    live(cluster("m1", "w1"), story)


def test_a_cluster_is_reset_in_the_middle_of_a_scale_down():
    async def story(life):
        await life.settled()
        life.sim.wish(cluster("m1"))
        await life.until(lambda r: any(a.phase == "leave" for a in r.running.values()))
        await deleted(life, cluster("m1"))
        assert life.clean("m1", "m2", "m3", "w1", "w2") == []

    live(cluster("m1", "m2", "m3", "w1", "w2"), story)


@pytest.mark.parametrize("name", ["m1", "w1"])
def test_a_machine_that_is_off_holds_the_deletion_until_named(name):
    async def story(life):
        await life.settled()
        life.world.power_off(life.machine(name))
        others = [n for n in ("m1", "w1", "w2") if n != name]
        life.sim.wish(cluster("m1", "w1", "w2"), deleting=True)
        blocked = await life.until(lambda r: r.blocked)
        assert blocked.account.blocked.reason == "LostHostNeedsAcknowledgement"
        assert f"{ACKNOWLEDGE_LOST_ANNOTATION}={name}={life.machine(name).machine_id}" in blocked.account.blocked.message
        assert life.clean(*others) == [], "the others do not wait"
        assert life.inventory() == [name]
        machine_id = life.machine(name).machine_id
        life.machine(name).files.remove("/etc/kubernetes")
        life.world.network.machines.pop(life.machine(name).address)
        await deleted(life, cluster("m1", "w1", "w2"), annotations={ACKNOWLEDGE_LOST_ANNOTATION: f"{name}={machine_id}"})

    live(cluster("m1", "w1", "w2"), story)


def test_what_is_not_clean_is_named_and_holds_the_deletion():
    async def story(life):
        await life.settled()
        life.sim.wish(cluster("m1"), deleting=True)
        left = life.machine("m1")
        await life.until(lambda r: any(a.what == "clean the machine" for a in r.running.values()))
        real = left.leftovers
        left.leftovers = lambda: ("/etc/cni/net.d/odd.conf",)
        blocked = await life.until(lambda r: r.blocked)
        assert blocked.account.blocked.reason == "HostNotClean"
        assert "/etc/cni/net.d/odd.conf" in blocked.account.blocked.message
        assert life.sim.management.state is not None
        left.leftovers = real
        await life.until(lambda _report: False, 600)

    live(cluster("m1"), story)


@pytest.mark.parametrize("moment", ["claim", "init", "kubeadm-init", "kubeadm-join", "guest-cni", None])
def test_a_retained_cluster_is_taken_up_again_where_it_was(moment):
    async def story(life):
        if moment is None:
            await life.settled()
        else:
            await life.until(lambda r: begun(life, moment))
        before = life.sim.state_id()
        authorities = life.sim.management.pki
        # Retain: the engine is stopped at once, the object goes, the records stay
        await life.sim.operators[-1].kill()
        life.work()
        life.sim.desired = None
        life.sim.wish(cluster("m1", "m2", "w1"))
        life.begin()
        await life.settled()
        assert life.sim.state_id() == before
        assert authorities is None or life.sim.management.pki == authorities
        assert life.sim.certs.created == 1
        if moment is None:
            assert life.work() == {}
        assert all(count == 1 for count in life.world.ledger.init_successes.values())

    live(cluster("m1", "m2", "w1"), story)


def test_a_retained_cluster_is_taken_up_with_another_list_of_hosts():
    async def story(life):
        await life.settled()
        await life.sim.operators[-1].kill()
        life.sim.desired = None
        life.sim.wish(cluster("m1", "w2"))
        life.begin()
        await life.settled()
        assert life.nodes() == ["m1", "w2"]
        assert life.clean("w1") == []

    live(cluster("m1", "w1"), story)


def test_pause_stops_leaving_and_deleting():
    async def story(life):
        await life.settled()
        life.work()
        life.sim.wish(cluster("m1", paused=True))
        paused = await life.until(lambda r: r.view.generation == 2 and r.account.paused)
        assert [a.what for a in paused.plans["leave"].actions] == ["begin to release"], "the plan is told"
        life.sim.wish(cluster("m1", paused=True), deleting=True)
        await life.until(lambda r: r.view.deleting and r.view.now > paused.view.now + 200)
        assert life.work() == {}
        assert life.nodes() == ["m1", "w1"]
        await deleted(life, cluster("m1"))
        assert life.clean("m1", "w1") == []

    live(cluster("m1", "w1"), story)


def test_a_machine_that_another_cluster_took_meanwhile_is_left_alone():
    async def story(life):
        await life.settled()
        machine = life.machine("w1")
        key, identity = machine.host_key, machine.machine_id
        machine.reinstall(life.world.now())
        machine.host_key, machine.machine_id = key, identity
        machine.owner = type(life.machine("m1").owner)("another", "x")
        life.sim.wish(cluster("m1", "w1"), deleting=True)
        await life.until(lambda _report: life.sim.management.state is None or "w1" not in life.inventory(), 3600)
        assert machine.owner.cluster_id == "another"
        machine.owner = None

    live(cluster("m1", "w1"), story)
