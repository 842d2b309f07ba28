"""The operator is killed again and again while it makes a cluster: the next one goes on where the last one was, and does nothing twice."""

import base64
import gzip
import json
import os
import random
import time
from collections import Counter

import pytest

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1500)]

KILLS = 20
SEED = int(os.environ.get("SEALAB_SEED") or random.SystemRandom().randrange(1_000_000))
"""Give it to see the same moments again, as far as machines let time be repeated."""
BEFORE = [
    ((state, step), 1)
    for state, step in (
        ("started", "claim"),
        ("started", "rootfs-parts"),
        ("started", "registry"),
        ("started", "fetch-parts"),
        ("started", "registry-tree"),
        ("started", "init"),
        ("started", "pull"),
        ("started", "kubeadm-init"),
        ("done", "kubeadm-init"),
    )
]
AFTER = [(("started", step), 1) for step in ("load-balancer", "guest-lab-cni", "guest-hello")]
"""A line of the journal, and the number of machines whose journal says so."""
TRANSFERS = ("rootfs-parts", "fetch-parts", "registry-parts", "registry-tree")


def rows(machine):
    """The journal: (state, step, digest, attempt) per line."""
    lines = machine.exec("cat /var/lib/sealcluster/journal").stdout.decode().splitlines()
    return [tuple(line.split()[2:6]) for line in lines]


def record(here):
    """The cluster's durable record."""
    data = json.loads(here.plane.kubectl("get", "secret", "ha-state", "-o", "json").stdout)["data"]
    if "state.json.gz" in data:
        return json.loads(gzip.decompress(base64.b64decode(data["state.json.gz"])))
    return json.loads(base64.b64decode(data["state.json"]))


def received(machine):
    """Bytes that came in over its cable since it was booted."""
    return int(machine.exec("cat /sys/class/net/eth0/statistics/rx_bytes").stdout)


def stored(machine):
    """Bytes of content that lie there, each file once: all of it came over SSH."""
    places = "/var/lib/sealcluster/store /var/lib/sealos/data/ha/rootfs/registry"
    found = machine.exec(f"find {places} -type f -printf '%D:%i %s\\n' | sort -u").stdout.decode().split()
    return sum(map(int, found[1::2]))


def kill_again_and_again(here, seed, joins):
    """At a random instant after each of the steps that matter began (or ended), and in between at random."""
    print(f"seed {seed}")  # noqa: T201 - pytest shows it when the test fails
    chance = random.Random(seed)
    moments = [*BEFORE, *((("started", "kubeadm-join"), number) for number in range(1, joins + 1)), *AFTER]
    for _ in range(KILLS - len(moments)):
        moments.insert(chance.randrange(1, len(moments) - len(AFTER)), None)
    assert len(moments) == KILLS
    for number, moment in enumerate(moments, 1):
        if moment is not None:
            line, count = moment
            here.told(f"{' '.join(line)}, time {count}", lambda line=line, count=count: seen(here, line) >= count, 400)
        time.sleep(chance.uniform(0, 2) if moment else chance.uniform(1, 8))  # the moment of a death is chance, not a condition
        here.operator.kill()
        made = here.condition("Ready").get("status") == "True"
        here.operator.start()
        if made:  # a quick machine: what follows would disturb nobody
            assert number > KILLS - len(AFTER), f"the cluster was made before kill {number}: that is too few"
            return


def seen(here, line):
    """How many machines' journals have said this."""
    files = [machine.rootfs / "var/lib/sealcluster/journal" for machine in here.site.lab.machines.values()]
    words = f" {' '.join(line)} "
    return sum(words in file.read_text() for file in files if file.exists())


def check_that_nothing_was_done_twice(here, masters):
    machines = here.site.lab.machines
    journals = {name: rows(machine) for name, machine in machines.items()}
    state = record(here)

    started = [(name, row) for name, rows in journals.items() for row in rows if row[:2] == ("started", "kubeadm-init")]
    done = [(name, row[2]) for name, rows in journals.items() for row in rows if row[:2] == ("done", "kubeadm-init")]
    assert done == [(state["init"]["host"], started[-1][1][2])]
    for name, (_, _, digest, _) in started[:-1]:
        assert ("done", "kubeadm-reset", digest) in {row[:3] for row in journals[name]}, "an attempt was left as it was"
    members = here.cluster().etcd(here.site, masters[0])
    assert int(state["init"]["etcd_cluster_id"], 16) == members["header"]["cluster_id"]
    assert sorted(m["name"] for m in members["members"]) == sorted(masters)
    assert not any(m.get("isLearner") for m in members["members"])

    for name, journal in journals.items():
        failed = {row[1] for row in journal if row[0] == "failed"}
        again = {step: n for step, n in Counter(row[1] for row in journal if row[0] == "started").items() if n > 1}
        assert not set(again) & (set(TRANSFERS) - failed), f"{name} was sent things again: {again}"
        assert not {step for step in again if step.startswith("guest-")} - failed, again
        ended = Counter(row[1:] for row in journal if row[0] in ("done", "failed"))
        assert set(ended.values()) == {1}, f"an attempt on {name} ended twice"
        begun = {row[1:] for row in journal if row[0] == "started"}
        assert begun == set(ended), f"an attempt on {name} has no end, or an end without a beginning"
    assert {machine.exec("cut -d' ' -f1 /var/lib/sealcluster/owner").stdout.strip().decode() for machine in machines.values()} == {
        state["cluster_id"]
    }
    assert state["fence"] <= KILLS + 1

    registry = machines[masters[0]]
    assert received(registry) < 1.1 * stored(registry) + 40e6, f"{received(registry)} bytes came for {stored(registry)} that are there"
    words = Counter((event["reason"], event["note"]) for event in here.events())
    assert set(words.values()) <= {1}, words


@pytest.mark.core
def test_a_cluster_of_two_is_made_by_twenty_one_operators(managed):
    here = managed(2)
    here.apply(here.site.document(["m1"], ["m2"]))
    kill_again_and_again(here, SEED, joins=1)
    here.ready(seconds=600)
    check_that_nothing_was_done_twice(here, ["m1"])
    assert here.cluster().ready_nodes() == {"m1", "m2"}


def test_three_masters_and_a_worker_are_made_by_twenty_one_operators(managed):
    here = managed(4)
    masters = ["m1", "m2", "m3"]
    here.apply(here.site.document(masters, ["m4"]))
    kill_again_and_again(here, SEED + 1, joins=3)
    here.ready(seconds=900)
    check_that_nothing_was_done_twice(here, masters)
    assert here.cluster().ready_nodes() == {*masters, "m4"}
