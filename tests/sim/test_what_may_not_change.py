"""What is built into a cluster stays what it was made from, whoever looks: after a restart, after Retain, and when the wish changed meanwhile."""

import asyncio
import json
from dataclasses import replace

from sealcluster.kube import secretdata
from sealcluster.testing import specs
from sealcluster.testing.contract import condition
from sealcluster.testing.plane import NAMESPACE
from sim.planes import supervised

REFUSED = ("False", "ImmutableField")


def documents(value):
    return {"kubeadm": {"cluster": {"apiServer": {"extraArgs": [{"name": "audit-log-maxage", "value": value}]}}}}


def said(plane):
    body = plane.object()
    return condition(body, "SpecValid"), condition(body, "Ready"), body["status"]["observedGeneration"] == body["metadata"]["generation"]


async def restart(plane):
    await plane.processes[-1].stop()
    plane.start()
    await asyncio.sleep(120)


def test_a_change_that_was_refused_stays_refused_after_a_restart():
    async def tell(plane):
        plane.wish(specs.spec(1, **documents("30")))
        await asyncio.sleep(30)
        before = said(plane)
        assert before == (REFUSED, REFUSED, True)
        await restart(plane)
        assert said(plane) == before
        plane.wish(specs.spec(1))
        await plane.until(plane.ready, 600)

    supervised(tell, specs.spec(1), ready=True)


def test_a_retained_cluster_is_not_taken_up_under_another_pod_network():
    async def tell(plane):
        plane.delete()
        await plane.until(lambda: plane.object() is None, 600)
        plane.wish(specs.spec(1, network={"podSubnet": "192.168.0.0/16"}))
        await asyncio.sleep(120)
        assert said(plane) == (REFUSED, REFUSED, True)

    supervised(tell, specs.spec(1), ready=True)


def test_a_wish_that_changed_while_kubeadm_init_ran_is_refused_once_it_has_succeeded():
    async def tell(plane):
        await plane.until(lambda: any(step == "kubeadm-init" for _, step, _, _ in plane.world.ledger.starts), 3600)
        plane.wish(specs.spec(1, **documents("30")))
        await plane.until(lambda: condition(plane.object(), "SpecValid") == REFUSED, 600)
        plane.wish(specs.spec(1))
        await plane.until(plane.ready, 1800)

    supervised(tell, specs.spec(1))


def test_a_record_of_a_release_that_did_not_write_it_down_is_adopted_once():
    async def tell(plane):
        await plane.processes[-1].stop()
        key, made = ("secrets", NAMESPACE, "demo-state"), plane.record().made_from
        found = plane.kube.store.get(key)
        older = {k: v for k, v in json.loads(replace(plane.record(), made_from={}).dumps()).items() if k != "made_from"}
        found["data"] = secretdata.encode({"state.json": json.dumps(older)})
        plane.kube.store.update(plane.kube.store.kinds["secrets"], key, found)
        known, done = len(plane.kube.requests), sum(plane.world.ledger.starts.values())
        plane.start()
        await asyncio.sleep(120)
        assert plane.ready()
        assert plane.record().made_from == made
        written = [path for verb, path in plane.kube.requests[known:] if verb != "GET" and "/events" not in path]
        assert len(written) == 2, "taken from the spec, then taken over"
        assert sum(plane.world.ledger.starts.values()) == done
        plane.wish(specs.spec(1, **documents("30")))
        await restart(plane)
        assert said(plane) == (REFUSED, REFUSED, True)

    supervised(tell, specs.spec(1), ready=True)
