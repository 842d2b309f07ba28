"""An image whose templates cannot be rendered is a person's problem: told once, nothing hammered, healed by another image."""

import asyncio
from dataclasses import replace

import pytest

from sealcluster.phases.guests import Guests
from sealcluster.testing import clock, scenarios, specs
from sealcluster.testing.driver import Simulation
from sealcluster.testing.model.images import CNI, ROOTFS

BAD = "registry.example/bad:v1"


def test_a_phase_with_a_bug_stands_still_and_the_others_go_on(monkeypatch, caplog):
    def plan(_self, _view):
        raise KeyError("nobody thought of this")

    monkeypatch.setattr(Guests, "plan", plan)

    async def main():
        sim = Simulation(1, specs.spec(1, 1))
        try:
            sim.start()
            report = await sim.until(lambda r: r.blocked, 3600)
            assert report.account.blocked.reason == "InternalError"
            assert "planning guests: KeyError" in report.account.blocked.message
            assert {"m1", "w1"} <= report.view.cluster.nodes.keys()
        finally:
            await sim.end()

    clock.run(main(), limit=40_000)
    assert len([r for r in caplog.records if r.exc_info]) == 1, "the traceback is logged once, not with every turn"


@pytest.mark.parametrize("template", ["{{ nope }}", "{{ range . }}", "{{" * 2000], ids=["unknown", "unclosed", "deep"])
def test_a_template_that_cannot_be_rendered_is_told_and_the_operator_stays_up(template):
    async def main():
        images = [{"name": "kubernetes", "ref": BAD}, {"name": "cni", "ref": CNI}]
        sim = Simulation(1, specs.spec(1, images=images))
        try:
            good = sim.images.images[ROOTFS, "amd64"]
            sim.images.add(replace(good, info=replace(good.info, ref=BAD, templates={"etc/a.tmpl": template})))
            operator = sim.start()
            report = await sim.until(lambda r: r.blocked, 900)
            assert report.account.blocked.reason == "TemplateFailed"
            assert "etc/a.tmpl of image kubernetes" in report.account.blocked.message
            assert len([p for p in report.problems if p.reason == "TemplateFailed"]) == 1
            written = len(sim.management.history)
            await asyncio.sleep(600)
            assert len(sim.management.history) == written
            assert not operator.task.done()
            sim.wish(specs.spec(1))
            await sim.until(scenarios.ready, 3600)
        finally:
            await sim.end()

    clock.run(main(), limit=40_000)
