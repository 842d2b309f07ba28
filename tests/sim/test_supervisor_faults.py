"""The whole operator on an API server that has bad days: whatever it answers, the end is the same.

A few of the faults by default; SEALCLUSTER_EVERY_FAULT=1 tries all of them.
"""

import asyncio
import os
from pathlib import Path

import pytest

from sealcluster.testing import clock, specs
from sealcluster.testing.plane import Plane
from sealcluster.testing.scenarios import differences

CRD = Path(__file__).parents[2] / "crds" / "sealclusters.sealcluster.io.yaml"
SPEC = specs.spec(1, 1)
MINUTES = 60.0


def without_traces(state):
    """The end as people see it: which way parts came, and what was tried again, does not count."""
    machines = {name: {k: v for k, v in machine.items() if k not in ("done", "failed")} for name, machine in state["machines"].items()}
    return {**state, "machines": machines}


def story(tell, seed=1, limit=50_000):
    """A world of its own; returns what is there at its end."""
    kept = {}

    async def main():
        plane = Plane(seed, CRD)
        try:
            await tell(plane)
            kept["end"] = without_traces(plane.end_state())
            assert plane.problems() == []
        finally:
            await plane.end()

    clock.run(main(), limit=limit)
    return kept["end"]


async def created(plane, fault=None):
    plane.wish(SPEC)
    plane.start()
    if fault is not None:
        await fault(plane)
    await plane.until(plane.ready, 3600)


@pytest.fixture(scope="module")
def calm():
    return story(created)


async def conflicts(plane):
    for _ in range(40):
        plane.kube.interfere = 3
        await asyncio.sleep(3)
    plane.kube.interfere = 0


async def too_many(plane):
    for _ in range(30):
        plane.kube.overloaded = 20
        await asyncio.sleep(5)
    plane.kube.overloaded = 0


async def errors_for_minutes(plane):
    await asyncio.sleep(30)
    plane.kube.broken = 10**9
    await asyncio.sleep(8 * MINUTES)
    plane.kube.broken = 0


async def silence_from_the_start(plane):
    plane.kube.down = True
    await asyncio.sleep(8 * MINUTES)
    plane.kube.down = False


async def silence_in_the_middle(plane):
    await asyncio.sleep(40)
    await silence_from_the_start(plane)


async def lost_answers(plane):
    for _ in range(40):
        plane.kube.deaf = 1
        await asyncio.sleep(3)
    plane.kube.deaf = 0


async def lost_watch(plane):
    await asyncio.sleep(20)
    plane.processes[-1].break_watch()
    plane.annotate(note="nobody hears of this")
    await asyncio.sleep(3 * MINUTES)
    plane.processes[-1].mend_watch()


async def expired_watch(plane):
    for _ in range(10):
        await asyncio.sleep(10)
        plane.kube.store.compact()


async def stale_cache(plane):
    plane.processes[-1].lag = 45.0
    for number in range(10):
        plane.annotate(touched=str(number))
        await asyncio.sleep(10)
    plane.processes[-1].lag = 0.0


FAULTS = (
    errors_for_minutes,
    lost_answers,
    lost_watch,
    conflicts,
    too_many,
    silence_from_the_start,
    silence_in_the_middle,
    expired_watch,
    stale_cache,
)
RIGHTS = (
    ("PATCH", "sealclusters", 0.0),
    ("GET", "secrets", 45.0),
    ("POST", "secrets", 0.0),
    ("PATCH", "secrets", 0.0),
    ("POST", "events", 0.0),
    ("PATCH", "sealclusters", 45.0),
    ("POST", "secrets", 45.0),
    ("PATCH", "secrets", 45.0),
    ("GET", "secrets", 0.0),
)
ALL = bool(os.environ.get("SEALCLUSTER_EVERY_FAULT"))


@pytest.mark.parametrize("fault", FAULTS if ALL else FAULTS[:3], ids=lambda f: f.__name__)
def test_a_creation_ends_the_same_whatever_the_api_server_does_meanwhile(fault, calm):
    assert differences(calm, story(lambda plane: created(plane, fault))) == []


@pytest.mark.parametrize(("verb", "plural", "when"), RIGHTS if ALL else RIGHTS[:2])
def test_a_right_that_is_missing_for_minutes_is_waited_for(verb, plural, when, calm):
    async def fault(plane):
        await asyncio.sleep(when)
        plane.kube.forbidden.add((verb, plural))
        await asyncio.sleep(6 * MINUTES)
        plane.kube.forbidden.clear()

    assert differences(calm, story(lambda plane: created(plane, fault))) == []
