"""A Secret or ConfigMap that is put right is noticed within seconds, whatever the waits of failed tries are."""

import json

from sealcluster.api.conditions import ConditionType as C
from sealcluster.api.status import ConditionStatus
from sealcluster.api.summary import summarize
from sealcluster.core.errors import TransientError
from sealcluster.engine.references import SECONDS
from sealcluster.testing import specs
from sim.lives import live

AUTH = {".dockerconfigjson": json.dumps({"auths": {"registry.example": {"username": "a", "password": "b"}}})}
NONE = {".dockerconfigjson": json.dumps({"auths": {}})}


def stalled(report):
    return summarize(report.account)[C.STALLED].status is ConditionStatus.TRUE


def test_a_changed_pull_secret():
    async def story(life):
        images, management = life.sim.images, life.sim.management
        management.set("Secret", "pull", NONE)
        real = images.resolve
        tries = []

        async def resolve(name, ref, arch, auth, progress=None):
            tries.append(life.world.now())
            if not auth.auths:
                raise TransientError(f"pulling {ref}: 401", reason="ImagePullFailed")
            return await real(name, ref, arch, auth, progress)

        images.resolve = resolve
        await life.until(stalled)
        slow = life.world.now() + 60.0
        while life.world.now() < slow:
            await life.sim.operators[-1].clock.sleep(1.0)
        count = len(tries)
        management.set("Secret", "pull", AUTH)
        changed = life.world.now()
        await life.until(lambda r: bool(r.view.images))
        assert tries[count] - changed < 2 * SECONDS
        await life.settled()

    live(specs.spec(1, 0, pullSecretRefs=[{"name": "pull"}]), story)


def test_what_is_right_is_not_asked_for():
    """Versions are looked at only while something has failed."""

    async def story(life):
        management = life.sim.management
        management.set("Secret", "pull", AUTH)
        asked = []
        real = management.stamp

        async def stamp(kind, name):
            asked.append(name)
            return await real(kind, name)

        management.stamp = stamp
        await life.settled()
        before = len(asked)
        assert before <= 2
        later = life.world.now() + 600.0
        await life.until(lambda r: life.world.now() > later)
        assert len(asked) == before

    live(specs.spec(1, 0, pullSecretRefs=[{"name": "pull"}]), story)


def test_a_changed_text_of_a_file():
    async def story(life):
        management = life.sim.management
        found = {}
        life.each.append(lambda r: found.update({p.reason: life.world.now() for p in r.problems}))
        await life.until(lambda r: any(p.reason == "SecretMissing" for p in r.problems))
        management.set("ConfigMap", "files", {"text": "a: 1\n"})
        changed = life.world.now()
        await life.until(lambda r: not any(p.reason == "SecretMissing" for p in r.problems))
        assert life.world.now() - changed < 2 * SECONDS + 2
        await life.settled()

    reference = {"configMapKeyRef": {"name": "files", "key": "text"}}
    live(specs.spec(1, 0, configs=[{"path": "etc/model.conf", "strategy": "override", "dataFrom": reference}]), story)
