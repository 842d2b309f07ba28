"""Edits that come at a bad moment: while a machine is still on its way in, or already on its way out."""

import pytest

from sim.lives import cluster, live

MOMENTS = ["claim", "rootfs-parts", "check", "init", "pull", "kubeadm-join"]


def begun(life, machine, step):
    """True once the step was started on the machine."""
    return any(key[0].startswith(f"{machine}/") and key[1] == step for key in life.world.ledger.starts)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("newcomer", ["m2", "w1"])
def test_a_row_that_leaves_while_its_machine_is_being_made(newcomer, moment):
    async def story(life):
        await life.settled()
        life.sim.wish(cluster("m1", newcomer))
        await life.until(lambda r: begun(life, newcomer, moment))
        await life.wish(cluster("m1"))
        assert life.nodes() == life.voters() == life.inventory() == ["m1"]
        assert life.clean(newcomer) == []
        await life.wish(cluster("m1", newcomer))
        assert life.nodes() == ["m1", newcomer]

    live(cluster("m1"), story, seed=MOMENTS.index(moment))


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_operator_that_dies_between_the_two_edits(moment):
    async def story(life):
        await life.settled()
        life.sim.wish(cluster("m1", "m2", "w1"))
        await life.until(lambda r: begun(life, "m2", moment))
        await life.sim.operators[-1].kill()
        life.sim.wish(cluster("m1", "w1"))
        life.begin()
        await life.settled()
        assert life.voters() == ["m1"]
        assert life.nodes() == life.inventory() == ["m1", "w1"]
        assert life.clean("m2") == []

    live(cluster("m1"), story, seed=MOMENTS.index(moment))


def test_a_row_that_was_never_claimed_just_goes():
    async def story(life):
        await life.settled()
        life.sim.wish(cluster("m1", "w1"))
        life.world.power_off(life.machine("w1"))
        await life.until(lambda r: r.view.generation == 2 and r.view.hosts["w1"].error is not None)
        await life.wish(cluster("m1"), limit=120)
        assert "w1" not in life.work()

    live(cluster("m1"), story)


@pytest.mark.parametrize("moment", ["begin to release", "cordon", "drain", "clean the machine", "delete its Node", "release"])
def test_a_row_that_comes_back_while_its_machine_leaves(moment):
    async def story(life):
        await life.settled()
        for node in life.kube.nodes.values():
            node.pods = 10
        life.sim.wish(cluster("m1"))
        await life.until(lambda r: any(a.what == moment and a.phase == "leave" for a in r.running.values()))
        await life.wish(cluster("m1", "w1"))
        assert life.nodes() == life.inventory() == ["m1", "w1"]
        steps = life.work().get("w1", [])
        assert "kubeadm-join" in steps, "it left and joined anew"
        assert not life.kube.nodes["w1"].unschedulable

    live(cluster("m1", "w1"), story)


@pytest.mark.thorough
def test_a_node_that_came_back_is_emptied_again_the_next_time():
    async def story(life):
        await life.settled()
        await life.wish(cluster("m1"))
        await life.wish(cluster("m1", "w1"))
        life.kube.nodes["w1"].pods = 10
        seen = []
        life.each.append(lambda r: seen.append(life.kube.nodes["w1"].pods if "w1" in life.kube.nodes else -1))
        life.machine("w1").slow = 5.0
        await life.wish(cluster("m1"))
        assert 0 in seen, "its pods went before the machine was cleaned"

    live(cluster("m1", "w1"), story)


def test_a_machine_under_a_new_name_leaves_under_the_old_one_first():
    async def story(life):
        await life.settled()
        spec = cluster("m1", "w1")
        renamed = spec.model_dump(mode="json", by_alias=True)
        renamed["hosts"][1]["name"] = "blue"
        await life.wish(type(spec).model_validate(renamed))
        assert life.nodes() == life.inventory() == ["blue", "m1"]
        assert life.machine("w1").owner.name == "blue"

    live(cluster("m1", "w1"), story)


def test_the_registry_moves_while_it_still_serves():
    async def story(life):
        await life.settled()
        without = []

        def registry_known(report):
            for name in ("w1", "m2", "m3"):
                text = life.machine(name).hosts_text
                server = next((line.split()[0] for line in text.splitlines() if line.endswith(" sealos.hub")), None)
                machine = life.world.network.at(server) if server else None
                tree = machine.registry.served() if machine is not None else None
                if machine is None or not machine.units.active("registry") or tree is None or not tree.has_image("pause:v1.34.4"):
                    without.append((name, server))

        life.each.append(registry_known)
        await life.wish(cluster("m2", "m3", "w1"))
        assert without == []
        assert "10.0.0.12 sealos.hub" in life.machine("w1").hosts_text
        assert life.sim.management.history[-1].inventory["m2"].registry
        life.sim.wish(cluster("m2", "m3", "w1"), deleting=True)
        await life.until(lambda _report: False)
        assert "registry" not in life.machine("m2").units.table, "the registry that moved is cleaned where it is now"

    live(cluster("m1", "m2", "m3", "w1"), story)


@pytest.mark.thorough
def test_the_registry_does_not_wander_when_its_host_is_away_for_a_moment():
    async def story(life):
        await life.settled()
        await life.wish(cluster("m2", "m3", "w1"))
        await life.wish(cluster("m1", "m2", "m3", "w1"))
        life.work()
        life.world.power_off(life.machine("m2"))
        await life.until(lambda r: r.view.hosts["m2"].failures >= 2)
        life.world.power_on(life.machine("m2"))
        await life.settled()
        assert life.machine("m1").registry.tree is None
        assert "10.0.0.12 sealos.hub" in life.machine("w1").hosts_text

    live(cluster("m1", "m2", "m3", "w1"), story)


def test_credentials_and_addresses_of_the_record_follow_the_spec():
    async def story(life):
        await life.settled()
        life.sim.management.set("Secret", "other", {"username": "root", "password": "secret"})
        changed = cluster("m1", "w1", ssh={"user": "root", "credentialsSecretRef": {"name": "other"}})
        await life.wish(changed)
        assert life.work() == {}
        assert {r.credentials_secret for r in life.sim.management.history[-1].inventory.values()} == {"other"}

    live(cluster("m1", "w1"), story)
