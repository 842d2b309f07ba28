"""The judges of the test with the real Argo CD: they see what is too early."""

import pytest

from labkit.gitops_verdicts import Version, healths, never_early


def said(order, health, revision="one", sync="Synced"):
    return Version(order, "app", {"status": {"sync": {"status": sync, "revision": revision}, "health": {"status": health}}})


def cluster(order, generation, observed, ready):
    conditions = [{"type": "Ready", "status": ready}]
    body = {"metadata": {"generation": generation}, "status": {"observedGeneration": observed, "conditions": conditions}}
    return Version(order, "demo", body)


READY = cluster(20, 1, 1, "True")


@pytest.mark.parametrize(
    "clusters",
    [
        [],
        [cluster(20, 1, 1, "False")],
        [cluster(20, 1, 0, "True")],
        [cluster(40, 1, 1, "True")],
        [Version(20, "demo", None)],
    ],
    ids=["no cluster", "not ready", "ready for something else", "ready later", "gone"],
)
def test_healthy_before_ready_is_too_early(clusters):
    with pytest.raises(AssertionError, match="Healthy about one"):
        never_early([said(10, "Progressing"), said(30, "Healthy")], clusters, {"one": 1})


def test_healthy_about_the_next_commit_needs_the_next_generation():
    story = [said(30, "Healthy"), said(50, "Healthy", "two")]
    with pytest.raises(AssertionError, match="Healthy about two"):
        never_early(story, [READY, cluster(40, 2, 1, "True")], {"one": 1, "two": 2})
    never_early(story, [READY, cluster(40, 2, 2, "True")], {"one": 1, "two": 2})


def test_what_was_not_synced_is_about_the_commit_before():
    never_early([said(30, "Healthy"), said(31, "Healthy", "two", "OutOfSync")], [READY], {"one": 1})


def test_a_commit_of_which_nothing_was_said_is_missed():
    with pytest.raises(AssertionError, match="two"):
        never_early([said(30, "Healthy")], [READY], {"one": 1, "two": 2})


def test_healths_are_told_once_each_and_by_revision():
    story = [said(1, "Missing"), said(2, "Progressing"), said(3, "Progressing"), said(4, "Healthy"), said(5, "Progressing", "two")]
    assert healths([*story, Version(6, "app", None)], "one") == ["Missing", "Progressing", "Healthy"]
    assert healths(story, "two") == ["Progressing"]
