"""The life of one object: operators are replaced, superseded and cut off, the object is edited, deleted and made again."""

import asyncio
from datetime import UTC, datetime

import pytest

from sealcluster.api.summary import timestamp
from sealcluster.testing import clock, specs
from sealcluster.testing.contract import condition
from sealcluster.testing.plane import NAMESPACE, PLURAL, Plane
from sim.planes import CRD, supervised

SECRETS = f"/api/v1/namespaces/{NAMESPACE}/secrets"


def writes(plane, since):
    return [(verb, path) for verb, path in plane.kube.requests[since:] if verb != "GET"]


def steps(plane):
    return sum(plane.world.ledger.starts.values())


@pytest.mark.thorough
def test_a_new_operator_says_nothing_of_a_ready_cluster_but_takes_it_over():
    async def tell(plane):
        await asyncio.sleep(100)
        known, done = len(plane.kube.requests), steps(plane)
        await plane.processes[-1].stop()
        assert plane.processes[-1].adapters.closed, "sessions of an operator that ends in order were left open"
        plane.start()
        for _ in range(200):
            await asyncio.sleep(1)
            assert plane.ready(), "Ready was taken back although nothing is wrong"
        assert {kind for kind in writes(plane, known) if "/events" not in kind[1]} == {("PATCH", f"{SECRETS}/demo-state")}
        assert steps(plane) == done

    supervised(tell, specs.spec(1, 1), ready=True)


def test_a_new_operator_says_at_once_what_is_wrong():
    async def tell(plane):
        await plane.processes[-1].stop()
        plane.world.power_off(plane.world.machine("w1"))
        await asyncio.sleep(60)
        plane.start()
        await plane.until(lambda: not plane.ready(), 30)
        plane.world.power_on(plane.world.machine("w1"))
        await plane.until(plane.ready, 600)

    supervised(tell, specs.spec(1, 1), ready=True)


@pytest.mark.thorough
def test_a_superseded_operator_that_wakes_up_says_nothing_about_a_new_wish():
    """It has seen nothing of the take-over: the new generation must not be left as it was when that one began to look at it."""

    async def tell(plane):
        old = plane.processes[-1]
        old.effects.running.clear()
        old.lag = 60.0
        await asyncio.sleep(20)
        plane.start()
        await asyncio.sleep(20)
        plane.wish(specs.spec(1, 2))
        await plane.until(plane.ready, 1800)
        old.effects.running.set()
        await asyncio.sleep(300)
        assert plane.ready(), condition(plane.object(), "Ready")
        plane.annotate(hint="anything")
        await asyncio.sleep(120)
        assert plane.ready(), condition(plane.object(), "Ready")

    supervised(tell, specs.spec(1, 1), ready=True)


def test_a_status_that_somebody_else_wrote_is_put_right():
    async def tell(plane):
        body = plane.object()
        ready = next(c for c in body["status"]["conditions"] if c["type"] == "Ready")
        ready |= {"status": "False", "lastTransitionTime": timestamp(datetime.fromtimestamp(plane.world.now(), UTC))}
        plane.kube.store.update(plane.kube.store.kinds[PLURAL], plane.key, body, "status")
        assert not plane.ready()
        await plane.until(plane.ready, 60)
        plane.world.ledger.violations.clear()  # that Ready went back in time is the other writer's fault

    supervised(tell, specs.spec(1, 1), ready=True)


@pytest.mark.parametrize("trouble", ["nothing", "errors", "forbidden"])
def test_a_deletion_with_reset_leaves_nothing_behind(trouble):
    async def tell(plane):
        plane.wish(specs.spec(1, 1), deletionPolicy="Reset")
        await plane.until(plane.ready, 600)
        plane.delete()
        if trouble == "errors":
            await asyncio.sleep(25)
            plane.kube.broken = 10**9
            await asyncio.sleep(300)
            plane.kube.broken = 0
        if trouble == "forbidden":
            plane.kube.forbidden |= {("DELETE", "secrets"), ("PATCH", PLURAL)}
            await asyncio.sleep(600)
            plane.kube.forbidden -= {("DELETE", "secrets")}
            await asyncio.sleep(300)
            plane.kube.forbidden.clear()
        await plane.until(lambda: plane.object() is None, 3600)
        assert plane.secrets() == []
        assert [m.name for m in plane.world.machines.values() if m.leftovers() or m.owner] == []

    supervised(tell, specs.spec(1, 1), ready=True)


@pytest.mark.thorough
def test_a_retained_cluster_is_taken_up_by_the_same_object_made_again_while_nobody_watched():
    async def tell(plane):
        known, done = plane.record().cluster_id, steps(plane)
        plane.delete()
        await plane.until(lambda: plane.object() is None, 600)
        plane.processes[-1].break_watch()
        plane.wish(specs.spec(1, 1))
        await asyncio.sleep(120)
        plane.processes[-1].mend_watch()
        await plane.until(plane.ready, 600)
        assert (plane.record().cluster_id, steps(plane)) == (known, done)

    supervised(tell, specs.spec(1, 1), ready=True)


def test_an_object_that_was_deleted_and_made_again_unseen_is_a_new_object_for_us():
    async def tell(plane):
        plane.processes[-1].break_watch()
        body = plane.object()
        body["metadata"]["finalizers"] = []  # a person took it away
        plane.kube.store.update(plane.kube.store.kinds[PLURAL], plane.key, body)
        plane.delete()
        assert plane.object() is None
        await asyncio.sleep(30)
        plane.wish(specs.spec(1, 1))
        plane.processes[-1].mend_watch()
        await plane.until(plane.ready, 600)
        assert plane.object()["metadata"]["finalizers"]
        assert f"{plane.name}-state" in plane.secrets()
        assert ("secrets", NAMESPACE, "ssh") in plane.kube.store.objects

    supervised(tell, specs.spec(1, 1), ready=True)


def test_an_edit_that_is_seen_before_the_answer_about_the_finalizer_is_not_taken_back_by_it():
    async def main():
        plane = Plane(1, CRD)
        try:
            process = plane.start()
            process.lag = 1e6  # nothing tells of the edit a second time
            patch = process.client.patch

            async def slow_answer(*args, **how):
                answer = await patch(*args, **how)
                if "finalizers" in str(args):
                    process.client.patch = patch
                    plane.wish(specs.spec(1, 1))
                    process.supervisor.object_seen(plane.object())
                return answer

            process.client.patch = slow_answer
            plane.wish(specs.spec(1, 0))
            await plane.until(plane.ready, 3600)
            assert plane.object()["metadata"]["generation"] == plane.object()["status"]["observedGeneration"] == 2
            assert plane.problems() == []
        finally:
            await plane.end()

    clock.run(main(), limit=50_000)
