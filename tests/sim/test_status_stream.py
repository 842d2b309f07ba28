"""Every version of the object, from its creation to its end, as Flux, Helm, kubectl and Argo CD read it: never done before it is done."""

import asyncio
from typing import Any

import pytest

from labkit import argocd
from sealcluster.testing.model.images import CNI, ROOTFS
from sim.door import CHECK, DONE, GOING, MAKING, SICK, STUCK, Door, Object, tell
from sim.lives import cluster

ACTIONS = CHECK.parent / "actions"


def condition(obj: Object, kind: str) -> dict[str, Any]:
    return next((c for c in obj["status"].get("conditions", ()) if c["type"] == kind), {"status": "Unknown"})


def stalled(obj: Object) -> bool:
    return condition(obj, "Stalled")["status"] == "True"


def act(door: Door, name: str) -> Object:
    """What Argo CD sends for an action on the newest version; the action must be on offer."""
    obj = door.versions[-1]
    assert argocd.offered(obj, (ACTIONS / "discovery.lua").read_text())[name]
    patch = argocd.act(obj, (ACTIONS / f"{name}.lua").read_text(), door.world.now())[1]
    door.patch(patch)
    return patch


@pytest.mark.parametrize("names", [("m1",), ("m1", "m2", "m3", "w1", "w2")])
def test_a_creation_is_in_progress_until_it_is_done(names: tuple[str, ...]) -> None:
    async def story(door: Door) -> None:
        door.wish(cluster(*names))
        door.start()
        await door.done()

    door = tell(story)
    assert door.verdicts == [MAKING] * (len(door.verdicts) - 1) + [DONE]
    assert len(door.verdicts) > 15, "a person saw something happen"
    assert door.versions[0]["status"] == {"observedGeneration": -1}


@pytest.mark.thorough
def test_an_edit_is_in_progress_from_its_first_version_on() -> None:
    async def story(door: Door) -> None:
        door.wish(cluster("m1", "w1"))
        door.start()
        await door.done()
        for names in (("m1", "w1", "w2"), ("m1", "w2")):
            before = len(door.verdicts)
            door.wish(cluster(*names))
            await door.done()
            found = door.since(before)
            assert found == [MAKING] * (len(found) - 1) + [DONE]
            assert len(found) > 3

    tell(story)


@pytest.mark.thorough
@pytest.mark.parametrize("effect", [10, 40, 70])
def test_an_operator_that_dies_on_the_way_leaves_no_claim(effect: int) -> None:
    async def story(door: Door) -> None:
        door.wish(cluster("m1", "w1"))
        door.start(crash_at=effect)
        await door.done()
        assert len(door.processes) == 2

    assert set(tell(story, effect).verdicts) == {MAKING, DONE}


def test_a_new_operator_does_not_take_back_what_is_so() -> None:
    async def story(door: Door) -> None:
        door.wish(cluster("m1", "w1"))
        door.start()
        await door.done()
        before = len(door.verdicts)
        await door.processes[-1].stop()
        door.start()
        await asyncio.sleep(300)
        assert set(door.since(before)) <= {DONE}

    tell(story)


def test_an_image_that_is_missing_is_degraded_with_its_name_and_heals() -> None:
    missing = "registry.example/nothing:v1"

    async def story(door: Door) -> None:
        door.wish(cluster("m1", images=[{"name": "kubernetes", "ref": ROOTFS}, {"name": "cni", "ref": missing}]))
        door.start()
        seen = await door.seen(stalled)
        assert door.verdicts[-1] == STUCK
        assert missing in argocd.health(seen, CHECK)[1]
        before = len(door.verdicts)
        door.wish(cluster("m1", images=[{"name": "kubernetes", "ref": ROOTFS}, {"name": "cni", "ref": CNI}]))
        await door.done()
        assert set(door.since(before)) == {MAKING, DONE}

    tell(story)


@pytest.mark.thorough
def test_a_node_that_goes_down_is_degraded_and_comes_back() -> None:
    async def story(door: Door) -> None:
        door.wish(cluster("m1", "w1"))
        door.start()
        await door.done()
        before = len(door.verdicts)
        door.world.power_off(door.world.machine("w1"))
        await door.seen(lambda _obj: door.verdicts[-1] != DONE)
        await asyncio.sleep(600)
        assert set(door.since(before)) == {SICK}, "nobody is working on it, for as long as it is down"
        assert len(door.since(before)) < 10, "what stays the same is not written over and over"
        door.world.power_on(door.world.machine("w1"))
        await door.done()

    tell(story)


def test_pause_and_resume_by_action() -> None:
    async def story(door: Door) -> None:
        door.wish(cluster("m1", "w1"))
        door.start()
        await door.seen(lambda obj: bool(obj["status"].get("progress")))
        before = len(door.verdicts)
        assert act(door, "pause") == {"spec": {"paused": True}}
        await door.seen(lambda obj: condition(obj, "Paused")["status"] == "True")
        assert {(ready, health) for _, ready, health in door.since(before)} == {(False, "Suspended")}
        act(door, "resume")
        await door.done()

    tell(story)


@pytest.mark.thorough
def test_retry_by_action() -> None:
    async def story(door: Door) -> None:
        door.wish(cluster("m1", "w1"))
        door.world.machine("w1").login.password = "another"
        door.start()
        await door.seen(stalled)
        door.world.machine("w1").login.password = "secret"
        patch = act(door, "retry")
        seen = await door.done()
        assert seen["status"]["lastHandledRetryAt"] == patch["metadata"]["annotations"]["sealcluster.io/retry"]
        assert seen["metadata"]["generation"] == 1

    tell(story)


@pytest.mark.parametrize("policy", ["Reset", "Retain"])
def test_a_deletion_is_never_ready(policy: str) -> None:
    async def story(door: Door) -> None:
        door.wish(cluster("m1", "w1", deletionPolicy=policy))
        door.start()
        await door.done()
        before = len(door.verdicts)
        door.delete()
        await door.seen(lambda obj: not obj)
        assert set(door.since(before)) == {GOING}
        assert [bool(m.leftovers()) for m in door.world.machines.values()] == [policy == "Retain"] * 2
        assert bool(door.secrets()) is (policy == "Retain")

    tell(story)


@pytest.mark.thorough
def test_what_was_seen_stays_shown_while_an_edit_has_not_been_looked_at() -> None:
    """An empty row of `kubectl get` after every edit would say that the machines are gone."""

    async def story(door: Door) -> None:
        door.wish(cluster("m1", "w1"))
        door.start()
        await door.done()
        door.wish(cluster("m1", "w1", "w2"))
        await door.done()

    door = tell(story)
    edited = [obj for obj in door.versions if obj.get("status", {}).get("observedGeneration") == 2]
    fresh = [obj for obj in edited if condition(obj, "Reconciling")["reason"] == "Initializing"]
    assert fresh, "no version told of the new spec before it was looked at"
    for obj in fresh:
        assert [host["name"] for host in obj["status"]["hosts"]] == ["m1", "w1"]
        assert obj["status"]["nodes"]["workers"] == "1/1"
        assert "progress" not in obj["status"]
        assert condition(obj, "Ready")["status"] == "Unknown"


def test_an_image_that_is_not_there_makes_nothing_untrue_that_was_not_looked_at() -> None:
    """The registry and the balancers of a running cluster do not stop because somebody mistyped a tag."""

    async def story(door: Door) -> None:
        door.wish(cluster("m1", "w1"))
        door.start()
        await door.done()
        missing = f"{CNI.partition('@')[0]}-missing"
        door.wish(cluster("m1", "w1", images=[{"name": "kubernetes", "ref": ROOTFS}, {"name": "cni", "ref": missing}]))
        await door.seen(stalled)

    newest = tell(story).versions[-1]
    assert condition(newest, "ImageAvailable")["status"] == "False"
    assert condition(newest, "Available")["status"] == "True"
    for kind in ("RegistryAvailable", "EndpointReachable"):
        assert condition(newest, kind)["status"] == "Unknown"
        assert "before the cluster images are there" in condition(newest, kind)["message"]
