"""What is known of a failed step is kept beside the state, and stays when the step has succeeded."""

from sealcluster.core.errors import TransientError
from sealcluster.core.evidence import loads
from sim.lives import cluster, live


def kept(life):
    return loads(life.sim.management.evidence or '{"entries": []}')


def test_a_failed_step_leaves_evidence_that_outlives_its_success():
    async def story(life):
        life.sim.images.failing = 2
        await life.until(lambda r: bool(r.view.images))
        await life.sim.operators[-1].clock.sleep(10.0)
        (found,) = kept(life)
        assert (found.phase, found.step, found.reason, found.count) == ("pull-images", "pull images for amd64", "ImagePullFailed", 2)
        assert "503" in found.message
        assert found.hint
        assert life.world.now() - 60 < found.time < life.world.now()
        await life.settled()
        assert kept(life) == (found,)

    live(cluster("m1", "w1"), story)


def test_evidence_that_cannot_be_written_holds_nothing_up():
    async def story(life):
        async def refuse(entries):
            raise TransientError("writing evidence: 503")

        real, life.sim.management.save_evidence = life.sim.management.save_evidence, refuse
        life.sim.images.failing = 3
        await life.settled()
        assert kept(life) == ()
        life.sim.management.save_evidence = real
        await life.sim.operators[-1].clock.sleep(60.0)
        assert {e.phase for e in kept(life)} == {"pull-images"}

    live(cluster("m1"), story)
