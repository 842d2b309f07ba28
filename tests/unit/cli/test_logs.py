"""sealcluster logs: evidence from the records or from a management plane, and job logs from machines."""

import fcntl
import json
import re
import subprocess

import pytest

from labkit.tools import SHELLCHECK
from sealcluster.cli import joblogs, show_logs
from sealcluster.cli.joblogs import Follower, show_script
from sealcluster.cli.records import Records
from sealcluster.core.evidence import Evidence, dumps

FAILED = Evidence(
    phase="join-nodes",
    step="kubeadm-join",
    reason="KubeadmJoinFailed",
    message="running kubeadm-join on default-w1: exit code 1: timed out",
    time=1_800_000_000.0,
    host="default-w1",
    hint="Read its last lines in status.lastFailure; the host is reset and join is tried again.",
    count=3,
    exit_code=1,
    output="\n".join(f"line {n}" for n in range(1, 31)),
    unit="kubelet",
    unit_log="2027-01-15T08:00:00+0000 kubelet[1]: failed to run: swap is on",
)
PULL = Evidence("pull-images", "pull images for amd64", "ImagePullFailed", "pulling x: 503", 1_799_999_000.0)


def test_the_text(golden):
    golden("logs.txt", "\n".join(show_logs.lines((PULL, FAILED), 5)) + "\n")
    assert show_logs.lines((), 5) == ["no step has failed"]
    assert len(show_logs.lines((FAILED,), 0)) == 3 + 1 + 30 + 1 + 1


def test_evidence_of_this_machines_records(cli):
    cli.machines("a", "b")
    cli.outside.images.failing = 2
    assert cli.run(nodes="10.0.0.12").code == 0
    done = cli("logs")
    assert done.code == 0
    assert "cluster, pull-images, pull images for amd64  2 tries" in done.out
    assert "ImagePullFailed: pulling" in done.out
    found = json.loads(cli("logs", "-o", "json").out)
    assert [f["step"] for f in found["failures"]] == ["pull images for amd64"]
    shown = cli("logs", "default-w1", "--tail", "3")
    assert "no step has failed" in shown.out
    assert "jobs on default-w1" in shown.out
    assert "/var/lib/sealcluster/jobs" in shown.out  # the model's shell says what it runs
    assert cli("logs", "10.0.0.12").code == 0
    unknown = cli("logs", "nobody")
    assert (unknown.code, "default has no nobody" in unknown.err) == (2, True)


@pytest.fixture
def plane(cli):
    async def create():
        server = cli.outside.kube
        spec = {"images": [{"name": "k", "ref": "r.example/k:v1"}], "hosts": [{"name": "m1", "address": "10.0.0.1", "roles": ["master"]}]}
        path = f"{server.server}/apis/sealcluster.io/v1alpha1/namespaces/clusters/sealclusters"
        body = {"apiVersion": "sealcluster.io/v1alpha1", "kind": "SealCluster", "metadata": {"name": "default"}, "spec": spec}
        assert (await server.request("POST", path, doing="creating", body=body)).status == 201
        status = {
            "lastFailure": {
                "host": "default-w1",
                "phase": "join-nodes",
                "step": "kubeadm-join",
                "reason": "KubeadmJoinFailed",
                "message": "from status",
                "time": "2027-01-15T07:00:00Z",
            }
        }
        where = {"doing": "writing", "content_type": "application/merge-patch+json", "body": {"status": status}}
        assert (await server.request("PATCH", f"{path}/default/status", **where)).status == 200

    cli.outside.loop.run_until_complete(create())
    return cli


def keep(cli, *entries):
    async def create():
        server = cli.outside.kube
        body = {"metadata": {"name": "default-evidence"}, "stringData": {"evidence.json": dumps(entries)}}
        answer = await server.request("POST", f"{server.server}/api/v1/namespaces/clusters/secrets", doing="creating", body=body)
        assert answer.status == 201

    cli.outside.loop.run_until_complete(create())


def test_evidence_of_a_management_plane(plane):
    assert "KubeadmJoinFailed: from status" in plane("logs", "-n", "clusters").out
    keep(plane, PULL, FAILED)
    done = plane("logs", "default-w1", "-n", "clusters", "--tail", "2")
    assert done.code == 0
    assert done.out.splitlines()[0].endswith("default-w1, join-nodes, kubeadm-join  exit code 1, 3 tries")
    assert "    line 30" in done.out
    assert "line 28" not in done.out
    assert "pull images" not in done.out
    plane.outside.kube.forbidden = {("GET", "secrets")}
    poor = plane("logs", "-n", "clusters")
    assert poor.code == 0
    assert "from status" in poor.out
    assert "showing what status says" in poor.err


def test_following_shows_what_is_new_once(plane):
    async def later():
        import asyncio

        await asyncio.sleep(5)
        body = {"metadata": {"name": "default-evidence"}, "stringData": {"evidence.json": dumps((FAILED,))}}
        server = plane.outside.kube
        await server.request("POST", f"{server.server}/api/v1/namespaces/clusters/secrets", doing="creating", body=body)

    async def soon():
        return loop.create_task(later())

    loop = plane.outside.loop
    task = loop.run_until_complete(soon())
    looks = []
    real = plane.outside.run

    def run(work):
        looks.append(work)
        if len(looks) > 20:
            work.close()
            raise KeyboardInterrupt
        return real(work)

    plane.outside.run = run
    done = plane("logs", "-n", "clusters", "--follow")
    plane.outside.run = real
    loop.run_until_complete(task)
    assert done.code == 130
    assert done.out.count("kubeadm-join  exit code 1, 3 tries") == 1


def test_following_waits_for_a_plane_that_is_away_for_a_while(plane):
    looks = []
    real = plane.outside.run

    def run(work):
        looks.append(work)
        plane.outside.kube.down = 4 < len(looks) < 15
        if len(looks) == 20:
            keep(plane, FAILED)
        if len(looks) > 25:
            work.close()
            raise KeyboardInterrupt
        return real(work)

    plane.outside.run = run
    done = plane("logs", "-n", "clusters", "--follow")
    plane.outside.run = real
    assert done.code == 130
    assert done.out.count("kubeadm-join  exit code 1, 3 tries") == 1
    said = [line for line in done.err.splitlines() if "clusters" in line]
    assert len(said) == 1, done.err


def jobs(folder, **found):
    """Job directories as the product's wrapper leaves them: name to (rc, log)."""
    for number, (name, (rc, log)) in enumerate(found.items()):
        directory = folder / name
        directory.mkdir(exist_ok=True)
        (directory / "id").write_text(f"{name} digest {number + 1}\n")
        (directory / "log").write_text(log)
        if rc is not None:
            (directory / "rc").write_text(f"{rc} 1.5\n")


def shell(text):
    text = text.removeprefix("\n")
    done = subprocess.run(
        ["sh", "-eu"], input=text, capture_output=True, encoding="utf-8", errors="surrogateescape", timeout=20, check=True
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_jobs_of_a_machine(tmp_path):
    jobs(tmp_path, claim=(0, ""), join=(1, "one\ntwo\nthree\n"), guest=(None, "half"))
    (tmp_path / "join/unit.log").write_text("kubelet said\n")
    found = shell(show_script(10, 2, root=str(tmp_path)))
    assert "== claim, attempt 1: done in 1.5 s" in found
    at = found.index("== join, attempt 2: exit code 1 after 1.5 s")
    assert found[at + 1 : at + 5] == ["two", "three", "-- the unit concerned, at that moment", "kubelet said"]
    assert "== guest, attempt 3: interrupted" in found
    assert shell(show_script(10, 2, "join", str(tmp_path)))[0].startswith("== join")
    assert shell(show_script(10, 2, root=str(tmp_path / "none"))) == ["no job was started here"]


def following(folder, offsets=None):
    """A follower, and how to look: what is new."""
    said = []
    follower = Follower("=mark", said.append, offsets)

    def look():
        said.clear()
        for line in shell(follower.script(str(folder))):
            follower.line(line)
        follower.end()
        return list(said)

    return follower, look


def test_following_the_jobs_of_a_machine(tmp_path):
    follower, look = following(tmp_path)
    jobs(tmp_path, old=(0, "long ago\n"))
    assert look() == []
    jobs(tmp_path, join=(None, "one\ntwo\n"))
    assert look() == ["join #1 interrupted", "join #1: one", "join #1: two"]
    assert look() == []
    jobs(tmp_path, join=(7, "one\ntwo\nthree\n"))
    assert look() == ["join #1 exit code 7 after 1.5 s", "join #1: three"]
    (tmp_path / "join/log").write_text("one\ntwo\nthree\n" + "x" * 79 + "\n" * joblogs.AT_ONCE)
    look()
    assert follower.offsets["join"] == 14 + joblogs.AT_ONCE


def test_a_line_that_is_still_being_written_is_not_torn(tmp_path):
    follower, every = following(tmp_path, offsets={})

    def look():
        return [line.removeprefix("join #1: ") for line in every() if line.startswith("join #1: ")]

    jobs(tmp_path, join=(None, "one\nthe password is sword"))
    log = tmp_path / "join/log"
    with (tmp_path / "join/lock").open("w") as lock:  # it runs
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert look() == ["one"]
        log.write_text("one\nthe password is swordfish\nnul \0 letter \xe4\nhalf", encoding="latin-1")
        assert look() == ["the password is swordfish", "nul \0 letter \udce4"]
        assert look() == []
    assert look() == ["half"], "it ended: there is no more to wait for"

    before = follower.offsets["join"]
    with log.open("a") as more:
        more.write(f"\n{'short' * 10}\n{'y' * (joblogs.AT_ONCE - 30)}\nlast")
    assert look() == ["short" * 10], "the long line would not have fitted beside it"
    assert follower.offsets["join"] == before + 52
    assert look() == ["y" * (joblogs.AT_ONCE - 30), "last"]

    with log.open("a") as more:
        more.write("z" * (joblogs.AT_ONCE + 10))
    assert look() == ["z" * joblogs.AT_ONCE], "a line that is longer than a look is cut"
    assert look() == ["z" * 10]


class Telling:
    """A shell on a machine where a script printed what it was given."""

    def __init__(self, said):
        self.said = said

    async def command(self, text, *, within, on_line):
        for mark in re.findall("=[0-9a-f]{16}", text)[:1]:
            on_line(f"{mark} d 9 init 1 running")
        on_line(self.said)
        return 0


def telling(cli, said):
    """From now on shells say this."""
    real = cli.outside.open

    def opened(*where):
        found = real(*where)
        found.shell = lambda _target: Telling(said)
        return found

    cli.outside.open = opened


@pytest.mark.parametrize("follow", [False, True])
def test_what_jobs_were_given_is_masked(cli, follow):
    cli.machines("a")
    assert cli.run("--env", "apiToken=swordfish").code == 0
    pki = cli.outside.run(Records(cli.state, "default").management.load_pki())
    password, key = pki.registry_password, pki.etcd[1].splitlines()[1]
    assert min(len(password), len(key)) > 8
    telling(cli, f"apiToken=swordfish and {password}, {key}, and nothing else")
    if follow:
        cli.outside.interrupt_after = 5
    done = cli("logs", "default-m1", *(["--follow"] if follow else []))
    assert "apiToken=*** and ***, ***, and nothing else" in done.out
    assert not [secret for secret in ("swordfish", password, key) if secret in done.out + done.err]


def test_a_line_that_is_half_written_shows_no_half_of_a_secret(cli):
    cli.machines("a")
    assert cli.run("--env", "apiToken=swordfish").code == 0
    telling(cli, "the token is swordf")
    done = cli("logs", "default-m1")
    assert "the token is ***\n" in done.out
    assert "sword" not in done.out


def test_words_of_a_person_stay_words(tmp_path):
    text = show_script(5, 5, "'; touch /tmp/hacked; '", str(tmp_path))
    jobs(tmp_path, join=(0, ""))
    assert shell(text) == []
    for script in (text, joblogs.follow_script({"a'b": 3}, "=m", str(tmp_path))):
        checked = subprocess.run(
            [SHELLCHECK, "-s", "sh", "-e", "SC2012,SC2045,SC2034,SC2157", "-"], input=script, capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, checked.stdout
