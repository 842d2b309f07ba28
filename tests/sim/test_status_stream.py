"""Every version of the object, from its creation to its end, as Flux, Helm, kubectl and Argo CD read it: never done before it is done."""

import asyncio
from typing import Any

import pytest

from labkit import argocd
from labkit.manifests import ROOT
from sealcluster.testing.model.images import CNI, ROOTFS
from sim.door import NAME, Door, Object, tell
from sim.lives import cluster

MAKING = ("InProgress", False, "Progressing")
DONE = ("Current", True, "Healthy")
ACTIONS = ROOT / "examples" / "argocd" / "actions"


def condition(obj: Object, kind: str) -> dict[str, Any]:
    return next(c for c in obj["status"]["conditions"] if c["type"] == kind)


def stalled(obj: Object) -> bool:
    return bool(obj["status"].get("conditions")) and condition(obj, "Stalled")["status"] == "True"


async def act(door: Door, name: str) -> Object:
    """What Argo CD sends for an action on the newest version; the action must be on offer."""
    obj = door.versions[-1]
    assert argocd.offered(obj, (ACTIONS / "discovery.lua").read_text())[name]
    patch = argocd.act(obj, (ACTIONS / f"{name}.lua").read_text(), door.world.now())[1]
    await door.patch(patch)
    return patch


@pytest.mark.parametrize("names", [("m1",), ("m1", "m2", "m3", "w1", "w2")])
def test_a_creation_is_in_progress_until_it_is_done(names: tuple[str, ...]) -> None:
    async def story(door: Door) -> None:
        await door.apply(cluster(*names))
        door.start()
        await door.current()

    door = tell(story)
    assert door.verdicts[:-1] == [MAKING] * (len(door.verdicts) - 1)
    assert door.verdicts[-1] == DONE
    assert len(door.verdicts) > 15, "a person saw something happen"
    assert door.versions[0]["status"] == {"observedGeneration": -1}


def test_an_edit_is_in_progress_from_its_first_version_on() -> None:
    async def story(door: Door) -> None:
        await door.apply(cluster("m1", "w1"))
        door.start()
        await door.current()
        before = len(door.versions)
        await door.apply(cluster("m1", "w1", "w2"))
        await door.current()
        after = len(door.versions)
        await door.apply(cluster("m1", "w2"))
        await door.current()
        for first, last in ((before, after), (after, len(door.versions))):
            assert door.verdicts[first : last - 1] == [MAKING] * (last - 1 - first)
            assert last - first > 3

    tell(story)


def test_an_operator_that_is_replaced_on_the_way_claims_nothing() -> None:
    async def story(door: Door) -> None:
        await door.apply(cluster("m1", "m2", "m3", "w1"))
        for count in (5, 10, 15):
            door.start()
            await door.until(lambda _obj, count=count: len(door.versions) >= count)
            await door.stop()
        door.start()
        await door.current()
        before = len(door.versions)
        await door.stop()
        door.start()
        await door.patch({"metadata": {"annotations": {"look": "again"}}})
        await door.until(lambda obj: "annotations" in obj["metadata"] and len(door.versions) > before)
        assert set(door.since(before)) == {DONE}, "a new operator does not take back what is so"

    door = tell(story)
    assert set(door.verdicts) == {MAKING, DONE}


def test_an_image_that_is_missing_is_degraded_with_its_name_and_heals() -> None:
    missing = "registry.example/nothing:v1"

    async def story(door: Door) -> None:
        images = [{"name": "kubernetes", "ref": ROOTFS}, {"name": "cni", "ref": missing}]
        await door.apply(cluster("m1", images=images))
        door.start()
        seen = await door.until(stalled)
        assert door.verdicts[-1] == ("Failed", False, "Degraded")
        assert missing in argocd.health(seen, ROOT / "examples" / "argocd" / "health.lua")[1]
        before = len(door.versions)
        await door.apply(cluster("m1", images=[{"name": "kubernetes", "ref": ROOTFS}, {"name": "cni", "ref": CNI}]))
        await door.current()
        assert set(door.since(before)) == {MAKING, DONE}

    tell(story)


def test_a_node_that_goes_down_is_degraded_and_comes_back() -> None:
    async def story(door: Door) -> None:
        await door.apply(cluster("m1", "w1"))
        door.start()
        await door.current()
        door.world.power_off(door.world.machine("w1"))
        before = len(door.versions)
        await door.until(lambda _obj: door.verdicts[-1] != DONE)
        await asyncio.sleep(1200)
        assert set(door.since(before)) == {("InProgress", False, "Degraded")}, "nobody is working on it, for as long as it is down"
        assert len(door.since(before)) < 30, "what stays the same is not written over and over"
        door.world.power_on(door.world.machine("w1"))
        await door.current()

    tell(story)


def test_pause_and_resume_by_action() -> None:
    async def story(door: Door) -> None:
        await door.apply(cluster("m1", "w1"))
        door.start()
        await door.until(lambda obj: bool(obj["status"].get("progress")))
        assert await act(door, "pause") == {"spec": {"paused": True}}
        before = len(door.versions)
        await door.until(lambda obj: condition(obj, "Paused")["status"] == "True")
        assert {health for _, _, health in door.since(before)} == {"Suspended"}
        assert {ready for _, ready, _ in door.since(before)} == {False}
        await act(door, "resume")
        await door.current()

    tell(story)


def test_retry_by_action() -> None:
    async def story(door: Door) -> None:
        await door.apply(cluster("m1", "w1"))
        door.world.machine("w1").login.password = "another"
        door.start()
        await door.until(stalled)
        door.world.machine("w1").login.password = "secret"
        asked = door.world.now()
        patch = await act(door, "retry")
        seen = await door.current()
        assert seen["status"]["lastHandledRetryAt"] == patch["metadata"]["annotations"]["sealcluster.io/retry"]
        assert seen["metadata"]["generation"] == 1
        assert door.world.now() - asked < 240, "it was not waited for the next attempt"

    tell(story)


@pytest.mark.parametrize("policy", ["Reset", "Retain"])
def test_a_deletion_is_never_ready(policy: str) -> None:
    async def story(door: Door) -> None:
        await door.apply(cluster("m1", "w1", deletionPolicy=policy))
        door.start()
        await door.current()
        before = len(door.versions)
        await door.delete()
        await door.until(lambda obj: not obj)
        assert set(door.since(before)) == {("Terminating", False, "Progressing")}
        assert [bool(m.leftovers()) for m in door.world.machines.values()] == [policy == "Retain"] * 2
        assert (SECRETS_OF_US in door.server.store.objects) is (policy == "Retain")

    tell(story)


SECRETS_OF_US = ("secrets", "tenant", f"{NAME}-state")
