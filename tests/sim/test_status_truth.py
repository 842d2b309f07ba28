"""Ready says what was seen of this generation, and all of it."""

import asyncio
from dataclasses import replace

import pytest

from sealcluster.engine.memory import Memory
from sealcluster.testing.model.images import ROOTFS
from sealcluster.testing.model.workload import ModelWorkload
from sim.door import DONE, Door, tell
from sim.lives import cluster

MISSING = cluster("m1", images=[{"name": "kubernetes", "ref": ROOTFS}, {"name": "cni", "ref": "registry.example/nothing:v1"}])


@pytest.mark.parametrize("look", ["look_cluster", "look_all"])
def test_an_edit_that_comes_during_a_look_is_not_done_before_it_was_looked_at(monkeypatch, look):
    plain = getattr(Memory, look)

    async def story(door: Door) -> None:
        door.wish(cluster("m1"))
        door.start()
        await door.done()
        await asyncio.sleep(100)
        edited = []

        async def slow(self, *given):
            if not edited:
                door.wish(MISSING)
                edited.append(door.object()["metadata"]["generation"])
                await asyncio.sleep(1)
            await plain(self, *given)

        monkeypatch.setattr(Memory, look, slow)
        before = len(door.versions)
        await door.seen(lambda obj: bool(edited) and obj["status"]["observedGeneration"] == edited[0], 200)
        await asyncio.sleep(60)
        told = [v for v, obj in zip(door.since(before), door.versions[before:], strict=True) if obj["metadata"]["generation"] == edited[0]]
        assert told
        assert DONE not in told

    tell(story)


def test_a_cluster_without_dns_is_not_ready(monkeypatch):
    look = ModelWorkload.facts
    silent = []

    async def facts(self):
        return replace(await look(self), dns_ready=not silent)

    monkeypatch.setattr(ModelWorkload, "facts", facts)

    async def story(door: Door) -> None:
        door.wish(cluster("m1"))
        door.start()
        await door.done()
        silent.append("all pods of CoreDNS are gone")
        seen = await door.seen(lambda _: door.verdicts[-1] != DONE, 300)
        await asyncio.sleep(400)
        assert door.verdicts[-1] != DONE
        (ready,) = [c for c in seen["status"]["conditions"] if c["type"] == "Ready"]
        assert "CoreDNS" in ready["message"]
        silent.clear()
        await door.done()

    tell(story)
