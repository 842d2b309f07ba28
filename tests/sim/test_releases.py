"""A cluster that an earlier release made: this release plans nothing on it, takes it over, and goes on."""

import asyncio
import json
from pathlib import Path

import pytest

from sealcluster.core.facts import JournalEntry
from sealcluster.testing import clock, scenarios, truth
from sealcluster.testing.releases import relive

ROOT = Path(__file__).parents[1] / "golden" / "releases"
CLUSTERS = sorted(path.parent for path in ROOT.glob("*/*/state.json"))


def told(directory, story):
    kept = {}

    async def main():
        sim = await relive(directory)
        sim.on_report = lambda report: truth.check(sim, report)
        try:
            kept["found"] = await story(sim)
            assert truth.verdict(sim) == []
        finally:
            await sim.end()

    clock.run(main(), limit=100_000)
    return kept["found"]


def test_there_are_recorded_releases():
    assert {path.name for path in CLUSTERS} >= {"one-machine", "highly-available"}


@pytest.mark.parametrize("directory", CLUSTERS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_nothing_is_planned_on_a_cluster_of_an_earlier_release(directory):
    async def story(sim):
        fresh = sim.start()
        report = await sim.until(scenarios.ready, 600)
        assert {name: plan.actions for name, plan in report.plans.items() if plan.actions} == {}
        await asyncio.sleep(scenarios.QUIET)
        return fresh.effects.names

    assert told(directory, story) == ["management: save state"], "the take-over, and nothing else"


def test_a_digest_that_is_another_one_would_be_found():
    async def story(sim):
        machine = sim.world.machine("m1")
        machine.journal = {s: JournalEntry(s, "0" * 64, e.attempt, e.state, e.rc, e.time) for s, e in machine.journal.items()}
        fresh = sim.start()
        await sim.until(lambda _: len(fresh.effects.names) > 1, 600)
        return fresh.effects.names

    assert len(told(CLUSTERS[-1], story)) > 1


@pytest.mark.parametrize("directory", CLUSTERS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_what_is_recorded_holds_no_words_of_ours_that_change(directory):
    """Times are virtual and ids come from a seed: the same release writes the same files."""
    for path in directory.rglob("*"):
        assert path.is_dir() or path.stat().st_size < 64 << 10, path
    record = json.loads((directory / "state.json").read_text())
    owners = {path.read_text().split()[0] for path in directory.glob("machines/*/owner")}
    assert owners == {record["cluster_id"]}
