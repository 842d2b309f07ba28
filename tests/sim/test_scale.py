"""Machines come and go by edits of the host list: exactly that change happens, and the cluster stays alive."""

import pytest

from sim.lives import cluster, live

JOINED = ["claim", "rootfs-parts", "rootfs", "hosts", "check", "init", "pull", "kubeadm-join"]
"""Steps that every machine goes through on its way into the cluster."""


def test_masters_one_to_three_to_one_under_two_workers():
    async def story(life):
        await life.settled()
        await life.wish(cluster("m1", "m2", "m3", "w1", "w2"))
        assert life.voters() == ["m1", "m2", "m3"]
        work = life.work()
        assert set(work) == {"m2", "m3", "w1", "w2"}, "the first master has nothing to do"
        assert set(work["w1"]) == set(work["w2"]) == {"load-balancer"}
        for name in ("m2", "m3"):
            assert set(JOINED) <= set(work[name])
        await life.wish(cluster("m1", "w1", "w2"))
        assert life.voters() == ["m1"]
        assert life.nodes() == life.inventory() == ["m1", "w1", "w2"]
        assert life.clean("m2", "m3") == []
        work = life.work()
        assert work["m1"] == ["etcd-member", "etcd-member"]
        assert work["w1"] == work["w2"] == ["load-balancer"]
        assert work["m2"] == work["m3"] == ["fence", "clean"]

    live(cluster("m1", "w1", "w2"), story)


@pytest.mark.thorough
def test_workers_two_to_four_to_two_touch_nobody_else():
    async def story(life):
        await life.settled()
        await life.wish(cluster("m1", "w1", "w2", "w3", "w4"))
        work = life.work()
        assert set(work) == {"w3", "w4"}
        sent = dict(life.world.ledger.bytes_sent)
        await life.wish(cluster("m1", "w1", "w3"))
        assert life.work() == {"w2": ["clean"], "w4": ["clean"]}
        assert life.nodes() == ["m1", "w1", "w3"]
        assert life.clean("w2", "w4") == []
        assert dict(life.world.ledger.bytes_sent) == sent

    live(cluster("m1", "w1", "w2"), story)


def test_a_released_machine_serves_again_at_once():
    async def story(life):
        await life.settled()
        await life.wish(cluster("m1"))
        assert life.clean("w1") == []
        await life.wish(cluster("m1", "w1"))
        assert life.nodes() == ["m1", "w1"]

    live(cluster("m1", "w1"), story)


@pytest.mark.thorough
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_master_is_replaced_in_one_edit(seed):
    async def story(life):
        await life.settled()
        await life.wish(cluster("m4", "m5", "m6", "w1"))
        assert life.voters() == ["m4", "m5", "m6"]
        assert life.nodes() == ["m4", "m5", "m6", "w1"]
        assert life.clean("m1", "m2", "m3") == []

    live(cluster("m1", "m2", "m3", "w1"), story, seed=seed)


def test_a_single_master_is_replaced_by_another():
    async def story(life):
        await life.settled()
        await life.wish(cluster("m2", "w1"))
        assert life.voters() == ["m2"]
        assert life.clean("m1") == []

    live(cluster("m1", "w1"), story)


@pytest.mark.thorough
def test_a_role_changes_by_leaving_and_joining():
    async def story(life):
        await life.settled()
        await life.wish(cluster("m1", "m2", "m3", "w1", roles={"m3": ["node"]}))
        assert life.voters() == ["m1", "m2"]
        assert not life.kube.nodes["m3"].control_plane
        await life.wish(cluster("m1", "m2", "m3", "w1", roles={"m3": ["node"], "w1": ["master"]}))
        assert life.voters() == ["m1", "m2", "w1"]
        work = life.work()
        assert work["w1"].index("clean") < work["w1"].index("kubeadm-join")

    live(cluster("m1", "m2", "m3", "w1"), story)


@pytest.mark.thorough
def test_two_roles_swap():
    async def story(life):
        await life.settled()
        await life.wish(cluster("m1", "w1", roles={"m1": ["node"], "w1": ["master"]}))
        assert life.voters() == ["w1"]
        assert not life.kube.nodes["m1"].control_plane

    live(cluster("m1", "w1"), story)
