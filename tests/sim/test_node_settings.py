"""Labels and taints follow the spec in both directions, touch no machine, and leave alone what others put on a Node."""

from sealcluster.api.hosts import Taint
from sim.lives import cluster, live

THEIRS = ("somebody.example/gpu", "yes", "NoSchedule")
MASTER = ("node-role.kubernetes.io/control-plane", "", "NoSchedule")


def with_host(spec, name, **changes):
    hosts = tuple(h.model_copy(update=changes) if h.name == name else h for h in spec.hosts)
    return spec.model_copy(update={"hosts": hosts})


def test_labels_and_taints_come_and_go_without_touching_a_machine():
    plain = cluster("m1", "m2", "m3", "w1")

    async def story(life):
        await life.settled()
        node = life.kube.nodes["w1"]
        node.taints = (THEIRS,)
        node.labels["theirs"] = "1"
        batch = Taint(key="only", value="batch", effect="NoSchedule")
        await life.wish(with_host(plain, "w1", labels={"rack": "b7", "row": "2"}, taints=(batch,)))
        assert node.labels.items() >= {"rack": "b7", "row": "2", "theirs": "1"}.items()
        assert set(node.taints) == {THEIRS, ("only", "batch", "NoSchedule")}
        assert life.work() == {}
        await life.wish(with_host(plain, "w1", labels={"row": "3"}, taints=()))
        assert "rack" not in node.labels
        assert node.labels.items() >= {"row": "3", "theirs": "1"}.items()
        assert node.taints == (THEIRS,)
        await life.wish(plain)
        assert "row" not in node.labels
        assert node.taints == (THEIRS,)
        assert life.work() == {}

    live(plain, story)


def test_a_masters_own_taint_goes_only_for_an_empty_list_and_comes_back():
    plain = cluster("m1", "m2", "m3")

    async def story(life):
        await life.settled()
        node = life.kube.nodes["m2"]
        assert node.taints == (MASTER,)
        await life.wish(with_host(plain, "m2", taints=(Taint(key="a", effect="NoExecute"),)))
        assert set(node.taints) == {MASTER, ("a", "", "NoExecute")}
        await life.wish(with_host(plain, "m2", taints=()))
        assert node.taints == ()
        await life.wish(plain)
        assert node.taints == (MASTER,)

    live(plain, story)
