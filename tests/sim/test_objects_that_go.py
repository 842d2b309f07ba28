"""An object that is being deleted says so for as long as it is there, and goes when nothing of it exists."""

import asyncio

import pytest

from sealcluster.testing import specs
from sealcluster.testing.contract import condition
from sealcluster.testing.plane import PLURAL
from sim.planes import supervised

NEVER_MADE = specs.spec(1, registry={"port": 6443})
"""Refused: the port is also the endpoint's."""


def terminate(plane):
    """kubectl delete namespace: what is there may be changed and deleted, nothing new is taken."""
    plane.kube.forbidden |= {("POST", "secrets"), ("POST", "events")}
    plane.delete()


def held(plane):
    found = plane.kube.store.get(plane.key)
    found["metadata"].setdefault("finalizers", []).append("example.com/other")
    plane.kube.store.update(plane.kube.store.kinds[PLURAL], plane.key, found)


def let_go(plane):
    found = plane.kube.store.get(plane.key)
    found["metadata"]["finalizers"].remove("example.com/other")
    plane.kube.store.update(plane.kube.store.kinds[PLURAL], plane.key, found)


def said(plane):
    return [condition(plane.object(), kind) for kind in ("Ready", "Deleting")] + [
        condition(plane.object(), kind)[0] for kind in ("Reconciling", "Stalled")
    ]


GOING = [("False", "Deleting"), ("True", "Deleting"), "False", "False"]


def test_an_object_of_which_nothing_was_ever_touched_goes_with_its_namespace():
    async def tell(plane):
        await asyncio.sleep(30)
        assert plane.secrets() == []
        terminate(plane)
        await plane.until(lambda: plane.object() is None, 60)

    supervised(tell, NEVER_MADE, deletionPolicy="Reset")


def test_an_object_that_nobody_can_read_and_of_which_nothing_was_touched_goes():
    async def tell(plane):
        await asyncio.sleep(30)
        terminate(plane)
        await plane.until(lambda: plane.object() is None, 60)

    supervised(tell, specs.spec(1), deletionPolicy="Reset", hosts=[{"name": "m1", "address": "::1", "roles": ["master"]}])


def test_a_pause_holds_up_also_the_deletion_of_what_was_never_touched_and_says_so():
    async def tell(plane):
        await asyncio.sleep(30)
        terminate(plane)
        await asyncio.sleep(60)
        assert plane.secrets() == []
        assert said(plane) == GOING
        assert condition(plane.object(), "Paused")[0] == "True"
        plane.wish(NEVER_MADE, deletionPolicy="Reset", paused=False)
        await plane.until(lambda: plane.object() is None, 60)

    supervised(tell, NEVER_MADE, deletionPolicy="Reset", paused=True)


@pytest.mark.parametrize("crash", ["after the purge", "nowhere"])
def test_an_operator_that_was_killed_between_purge_and_release_has_a_successor_that_creates_nothing(crash):
    async def tell(plane):
        await plane.until(plane.ready, 3600)
        plane.kube.forbidden |= {("PATCH", PLURAL)}  # the finalizer cannot be taken away yet
        terminate(plane)
        await plane.until(lambda: plane.secrets() == [], 3600)
        if crash == "after the purge":
            await plane.processes[-1].kill()
            plane.start()
            await asyncio.sleep(60)
        plane.kube.forbidden -= {("PATCH", PLURAL)}
        await plane.until(lambda: plane.object() is None, 120)
        assert plane.secrets() == []

    supervised(tell, specs.spec(1), deletionPolicy="Reset")


@pytest.mark.parametrize("policy", ["Retain", "Reset"])
def test_an_object_that_another_finalizer_holds_says_that_it_is_being_deleted(policy):
    async def tell(plane):
        await plane.until(plane.ready, 3600)
        held(plane)
        plane.delete()
        await plane.until(lambda: plane.object()["metadata"]["finalizers"] == ["example.com/other"], 3600)
        await asyncio.sleep(60)
        assert said(plane) == GOING
        quiet = len(plane.kube.requests)
        await asyncio.sleep(600)
        assert [r for r in plane.kube.requests[quiet:] if r[0] != "GET"] == []
        await plane.processes[-1].stop()
        plane.start()
        await asyncio.sleep(60)
        assert said(plane) == GOING
        assert (plane.secrets() == []) == (policy == "Reset")
        let_go(plane)
        await plane.until(lambda: plane.object() is None, 60)

    supervised(tell, specs.spec(1), deletionPolicy=policy)
