"""No secret leaves by a way that is not its own: not while a cluster is made, grows, fails, and goes."""

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sealcluster.api import RETRY_ANNOTATION
from sealcluster.core.ops import Claim, CleanHost, Guest, KubeadmInit, KubeadmJoin, RunScript
from sealcluster.testing import clock, specs
from sealcluster.testing.model.catalog import application
from sealcluster.testing.model.images import CNI, ROOTFS
from sealcluster.testing.model.machine import Login, Machine
from sealcluster.testing.plane import Plane
from sim.canaries import Canaries, MarkedCerts, Outlets, listening, machines, objects

CRD = Path(__file__).parents[2] / "crds" / "sealclusters.sealcluster.io.yaml"
TALKATIVE = "registry.example/talkative:v1"
SSH = {"user": "ops", "credentialsSecretRef": {"name": "ssh"}, "hostKeys": {"policy": "TrustOnFirstUse"}}
CONFIG = {"path": "etc/model.conf", "strategy": "override", "dataFrom": {"secretKeyRef": {"name": "given", "key": "text"}}}


def cluster(masters, workers, **more):
    images = [{"name": "kubernetes", "ref": ROOTFS}, {"name": "cni", "ref": CNI}, {"name": "talkative", "ref": TALKATIVE}]
    return specs.spec(masters, workers, images=images, ssh=SSH, configs=[CONFIG], pullSecretRefs=[{"name": "pull"}], **more)


class Story:
    """The whole operator on model machines, with all its outlets watched."""

    def __init__(self, plane, out):
        self.plane, self.secrets, self.out = plane, Canaries(), out
        plane.certs = MarkedCerts(plane.world.timing)
        plane.images.denied |= {ROOTFS, CNI}
        plane.images.add(application(TALKATIVE, "talkative", script="echo the password is $registryPassword\nexit 3\n"))
        self.secrets.give(plane)
        for number in range(1, 5):
            words = self.secrets.words
            login = Login("ops", words["password"], None, sudo_password=words["sudo"])
            name = f"m{number}" if number == 1 else f"w{number - 1}"
            plane.world.add(Machine(name, specs.address(number), login=login))
        self._listen(plane.kube)

    def _listen(self, kube):
        request = kube.request

        async def heard(method, url, *, doing, **how):
            self.out.add("URL", f"{url} {doing}")
            if "/secrets" not in urlsplit(url).path:
                self.out.add(f"{method} {urlsplit(url).path}", json.dumps(how.get("body")))
            return await request(method, url, doing=doing, **how)

        kube.request = heard

    def says(self, reason):
        body = self.plane.object() or {}
        return reason in json.dumps(body.get("status") or {})

    def look(self):
        machines(self.plane, self.out)
        objects(self.plane, self.out)

    def words(self):
        """Every secret that exists by now. Tokens are read out of the configurations of the joins."""
        joins = [job.op.config.decode() for _, job in self.out.jobs if isinstance(job.op, KubeadmJoin)]
        tokens = {line.split()[-1].strip('"') for text in joins for line in text.splitlines() if line.strip().startswith("token:")}
        made = {**self.secrets.made(self.plane), **{f"made {n}": key for n, key in enumerate(sorted(self.plane.certs.keys))}}
        return {**self.secrets.words, **made, **{f"token {n}": t for n, t in enumerate(sorted(tokens))}}


@pytest.fixture(scope="module")
def told():
    """One story for all tests: creation with wrong passwords and a guest that fails and talks, a worker more, deletion."""
    out = Outlets()
    kept = {"out": out}

    async def main():
        plane = Plane(1, CRD)
        story = Story(plane, out)
        try:
            wrong = plane.world.machine("w1").login
            wrong.password, right = "another", wrong.password
            plane.wish(cluster(1, 1))
            plane.start()
            await plane.until(lambda: story.says("AuthenticationFailed"), 900)
            wrong.password, wrong.sudo_password = right, "another"
            plane.annotate(**{RETRY_ANNOTATION: "1"})
            await plane.until(lambda: story.says("SudoFailed"), 1800)
            wrong.sudo_password = story.secrets.words["sudo"]
            plane.annotate(**{RETRY_ANNOTATION: "2"})
            await plane.until(lambda: story.says("GuestFailed"), 3600)
            story.look()
            plane.images.add(application(TALKATIVE, "talkative"))
            await plane.processes[-1].kill()
            plane.start()
            plane.wish(cluster(1, 2))
            await plane.until(plane.ready, 3600)
            story.look()
            kept["words"] = story.words()
            plane.wish(cluster(1, 2, deletionPolicy="Reset"))
            await plane.until(plane.ready, 3600)
            plane.delete()
            await plane.until(lambda: plane.object() is None, 3600)
            story.look()
            kept["left"] = [
                (n, path, m.name) for n, w in kept["words"].items() for m in plane.world.machines.values() for path in holding(m, w)
            ]
            kept["secrets"] = plane.secrets()
        finally:
            await plane.end()

    with listening(out):
        clock.run(main(), limit=100_000)
    return kept


def holding(machine, word):
    line = next((part for part in word.splitlines() if len(part) >= 16 and not part.startswith("-----")), word)
    return [path for path, entry in machine.files.entries.items() if line in entry.content.decode(errors="replace")]


def test_the_story_used_every_secret(told):
    names = set(told["words"])
    assert {"password", "key", "passphrase", "sudo", "pull", "config"} <= names
    assert {"demo-ca/tls.key", "demo-etcd/tls.key", "demo-proxy/tls.key", "demo-sa/tls.key", "demo-registry/password"} <= names
    assert any(name.startswith("token") for name in names)
    assert len(told["out"].seen["logs"]) > 40
    assert {type(job.op) for _, job in told["out"].jobs} >= {Claim, RunScript, Guest, KubeadmInit, KubeadmJoin, CleanHost}


def test_no_secret_is_seen_where_it_does_not_belong(told):
    allowed = {"demo-registry/password in environment"}  # the image's scripts take it from there, as with sealos
    leaks = told["out"].leaks({n: w for n, w in told["words"].items() if not n.startswith("made")})
    assert set(leaks) - allowed == set()


def test_what_was_made_and_never_stored_is_not_seen_either(told):
    made = {n: w for n, w in told["words"].items() if n.startswith("made")}
    assert {leak.partition(" in ")[2] for leak in told["out"].leaks(made)} <= {"environment"}


def test_a_guest_that_prints_a_secret_is_quoted_without_it(told):
    (said,) = {text for text in told["out"].seen["results of jobs"] if "the password is" in text}
    assert "the password is ***" in said


def test_only_what_an_image_needs_is_in_the_environment_of_its_scripts(told):
    for _, job in told["out"].jobs:
        for name, value in (getattr(job.op, "env", None) or {}).items():
            held = {w for n, w in told["words"].items() if w == value}
            assert not held or (name == "registryPassword" and isinstance(job.op, RunScript | Guest)), (job.step, name)


def test_nothing_secret_is_left_after_the_deletion(told):
    assert told["left"] == []
    assert told["secrets"] == []


@pytest.mark.parametrize(
    "where", ["logs", "argv", "exceptions", "environment", "journal", "Secret demo-state", "metadata", "what is logged of a job"]
)
def test_a_leak_would_be_found(where, told):
    out = Outlets()
    out.seen = {key: set(texts) for key, texts in told["out"].seen.items()}
    assert where in out.seen
    out.add(where, f"...{told['words']['sudo']}...")
    assert f"sudo in {where}" in out.leaks(told["words"])
