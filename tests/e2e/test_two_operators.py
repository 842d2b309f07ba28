"""Two operators at once: one is stopped in the middle of a join, another takes its cluster over, and the first comes back with all it believed."""

import pytest

from labkit.operator_process import Operator
from labkit.product import Managed, wait_for

SUPERSEDED = ("took this cluster over", "it has seen fencing number")
"""What the record says, or the machine, whichever it asks first."""

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1500)]


@pytest.fixture
def second(tmp_path):
    """`second(here)`: another operator for the same management plane, with a content store of its own."""
    operators = []

    def make(here):
        folder = tmp_path / "second"
        folder.mkdir()
        operator = Operator(here.plane, folder, here.site.registry.address)
        operators.append(operator)
        operator.start()
        return Managed(here.plane, here.site, operator)

    yield make
    for operator in operators:
        operator.kill()


def journals(here, *names):
    return {name: here.site.lab.machines[name].exec("cat /var/lib/sealcluster/journal").stdout.decode() for name in names}


def in_journal(here, machine, state, step):
    file = here.site.lab.machines[machine].rootfs / "var/lib/sealcluster/journal"
    return file.exists() and f" {state} {step} " in file.read_text()


def fences(here, *names):
    return {int(here.site.lab.machines[name].exec("cut -d' ' -f2 /var/lib/sealcluster/fence").stdout) for name in names}


@pytest.mark.parametrize("at", ["m2", "m3"], ids=["a master joins", "a worker joins"])
def test_an_operator_that_was_paused_in_a_join_finds_itself_superseded_and_touches_nothing(managed, second, at):
    first = managed(4)
    first.apply(first.site.document(["m1", "m2"], ["m3"]))
    first.told(f"{at} to join", lambda: in_journal(first, at, "started", "kubeadm-join"), 400)
    first.operator.pause()
    before = max(fences(first, "m1", "m2", "m3"))

    newer = second(first)
    newer.ready(seconds=600)
    wait_for("the newer number on every machine", lambda: min(fences(newer, "m1", "m2", "m3")) > before, 60)
    told = journals(newer, "m1", "m2", "m3")
    assert newer.cluster().ready_nodes() == {"m1", "m2", "m3"}

    first.operator.resume()
    wait_for("the first operator to see that it was superseded", lambda: any(map(first.operator.said, SUPERSEDED)), 120)
    assert journals(newer, "m1", "m2", "m3") == told
    for name, text in told.items():
        rows = [line.split()[2:5] for line in text.splitlines()]
        for step in ("kubeadm-init", "kubeadm-join"):
            begun = [row for row in rows if row[:2] == ["started", step]]
            assert len(begun) <= 1, f"{step} began {len(begun)} times on {name}"

    # A change while both run: the newer one makes it, the older one stays away.
    document = newer.site.document(["m1", "m2"], ["m3", "m4"])
    newer.apply(document)
    newer.ready(seconds=400)
    assert newer.cluster().ready_nodes() == {"m1", "m2", "m3", "m4"}
    assert first.operator.process.poll() is None, "the first operator was to live on and do nothing"
    assert sorted(m["name"] for m in newer.cluster().etcd_members(newer.site, "m1")) == ["m1", "m2"]
