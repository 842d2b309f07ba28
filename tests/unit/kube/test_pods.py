"""Which pods a drain leaves alone, and which only a person may give up."""

import pytest

from sealcluster.kube.pods import forbidden, must_leave


def pod(*, owner="ReplicaSet", volumes=(), **metadata):
    owners = [{"kind": owner, "controller": True}] if owner else []
    return {
        "metadata": {"name": "p", "namespace": "n", "ownerReferences": owners, **metadata},
        "spec": {"volumes": list(volumes)},
        "status": {"phase": "Running"},
    }


@pytest.mark.parametrize(
    ("found", "leaves"),
    [
        (pod(), True),
        (pod(owner="DaemonSet"), False),
        (pod(owner=None), True),
        (pod(annotations={"kubernetes.io/config.mirror": "x"}), False),
        ({**pod(), "status": {"phase": "Succeeded"}}, False),
    ],
)
def test_a_drain_leaves_what_belongs_to_the_node(found, leaves):
    assert must_leave(found) is leaves


SCRATCH = {"name": "scratch", "emptyDir": {}}


@pytest.mark.parametrize(
    ("found", "force", "empty_dir", "words"),
    [
        (pod(), False, False, ""),
        (pod(owner=None), False, True, "spec.rollout.drain.force"),
        (pod(owner=None), True, True, ""),
        (pod(volumes=[SCRATCH]), False, True, ""),
        (pod(volumes=[SCRATCH]), True, False, "spec.rollout.drain.deleteEmptyDirData"),
    ],
)
def test_what_would_be_lost_is_named_with_the_field_that_allows_it(found, force, empty_dir, words):
    why = forbidden(found, force=force, empty_dir=empty_dir)
    assert words in why
    assert bool(why) is bool(words)
    if words:
        assert why.startswith("pod n/p: ")
