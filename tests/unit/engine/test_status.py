"""What others say is cut to what status has room for: a long word must never be the end of an engine."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sealcluster.api import RETRY_ANNOTATION
from sealcluster.api.status import MAX_ARCH, MAX_CLUSTERFILE, MAX_RETRY, MAX_VERSION
from sealcluster.core.facts import NodeFacts
from sealcluster.core.plan import Failure, Problem
from sealcluster.engine import status
from sealcluster.engine.report import make_report
from unit.core.views import running_view

LONG = "x" * 5000


def told(world):
    return status.make_status(make_report(world, {}, {}, {}, []), (), datetime(2026, 1, 31, tzinfo=UTC), fingerprints={}, failure=None)


def retry(word):
    return told(running_view(1, annotations={RETRY_ANNOTATION: word})).last_handled_retry_at


def test_what_machines_images_and_nodes_say_is_cut():
    world = running_view(1, 1)
    liar = world.hosts["w1"]
    lies = {
        "hosts": {**world.hosts, "w1": replace(liar, facts=replace(liar.facts, arch=LONG))},
        "cluster": replace(world.cluster, nodes={**world.cluster.nodes, "w1": NodeFacts("w1", "u", True, version=LONG)}),
        "state": replace(world.state, version=LONG),
        "failures": {"w1": Failure(1, Problem("ScriptFailed", LONG, "w1", "bootstrap", LONG), 0.0, LONG, 10**17, LONG * 9)},
    }
    found = told(replace(world, **lies))
    row = next(host for host in found.hosts if host.name == "w1")
    assert (len(row.arch), len(row.version), len(found.version)) == (MAX_ARCH, MAX_VERSION, MAX_VERSION)
    assert found.last_failure.exit_code == 2**31 - 1


def test_a_word_of_the_retry_annotation_that_fits_is_shown_as_it_is():
    assert retry("x" * MAX_RETRY) == "x" * MAX_RETRY


def test_long_words_of_the_retry_annotation_do_not_look_alike():
    one, other = retry(LONG + "1"), retry(LONG + "2")
    assert one != other
    assert len(one) == len(other) == MAX_RETRY


@pytest.mark.parametrize(("size", "shown"), [(MAX_CLUSTERFILE, "x"), (MAX_CLUSTERFILE + 1, "# left out: it has 262145 characters")])
def test_a_clusterfile_that_does_not_fit_is_left_out_and_that_is_said(monkeypatch, size, shown):
    monkeypatch.setattr(status, "clusterfile", lambda view, ready: "x" * size)
    assert told(running_view(1)).clusterfile.startswith(shown)


def test_more_rows_than_status_may_hold_are_left_out():
    world = running_view(1, 1)
    many = {f"w{n}": replace(world.hosts["w1"], name=f"w{n}") for n in range(1, 4100)}
    found = told(replace(world, hosts={"m1": world.hosts["m1"], **many}))
    assert (len(found.hosts), found.hosts[0].name) == (4000, "m1")
