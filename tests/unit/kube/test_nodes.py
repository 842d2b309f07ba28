"""Nodes as facts, and which taints are ours to change."""

import json
from typing import Any

import pytest

from sealcluster.kube.nodes import LABELS_ANNOTATION, TAINTS_ANNOTATION, Taint, dns_ready, node_facts, node_patch
from sealcluster.kube.pods import must_leave

NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoExecute", "timeAdded": "2026-01-01T00:00:00Z"}
CONTROL_PLANE = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
THEIRS = {"key": "somebody.example/gpu", "value": "yes", "effect": "NoSchedule"}


def node(*taints: dict[str, Any], ours: list[list[str]] | None = None, **labels: str) -> dict[str, Any]:
    annotations = {} if ours is None else {TAINTS_ANNOTATION: json.dumps(ours)}
    metadata = {"name": "m1", "uid": "u1", "resourceVersion": "7", "labels": labels, "annotations": annotations}
    return {"metadata": metadata, "spec": {"taints": list(taints)} if taints else {}}


def keys(patch: dict[str, Any]) -> list[Taint]:
    return [(t["key"], t.get("value", ""), t["effect"]) for t in patch["spec"]["taints"]]


def test_facts_of_a_node() -> None:
    full = node(CONTROL_PLANE, **{"node-role.kubernetes.io/control-plane": "", "zone": "a"})
    full["spec"]["unschedulable"] = True
    full["status"] = {
        "conditions": [{"type": "MemoryPressure", "status": "False"}, {"type": "Ready", "status": "False", "message": "no network"}],
        "addresses": [{"type": "InternalIP", "address": "10.0.0.11"}, {"type": "Hostname", "address": "m1"}],
        "nodeInfo": {"kubeletVersion": "v1.34.4"},
    }
    facts = node_facts(full)
    assert (facts.name, facts.uid, facts.ready, facts.message, facts.version) == ("m1", "u1", False, "no network", "v1.34.4")
    assert (facts.addresses, facts.unschedulable, facts.control_plane) == ({"10.0.0.11"}, True, True)
    assert facts.taints == (("node-role.kubernetes.io/control-plane", "", "NoSchedule"),)
    assert facts.labels["zone"] == "a"


def test_a_node_that_has_not_reported_is_not_ready() -> None:
    facts = node_facts({"metadata": {"name": "w", "uid": "u"}})
    assert (facts.ready, facts.message, facts.control_plane) == (False, "the kubelet has not reported yet", False)


def test_labels_are_set_and_removed() -> None:
    patch = node_patch(node(keep="1", old="1", change="1"), {"old": None, "absent": None, "change": "2", "new": "3", "keep": "1"}, None)
    assert patch["metadata"].pop("annotations") == {LABELS_ANNOTATION: '["change", "keep", "new"]'}
    assert patch == {"metadata": {"labels": {"old": None, "change": "2", "new": "3"}, "resourceVersion": "7"}}


def test_nothing_to_change_is_no_patch() -> None:
    ours = [["dedicated", "NoSchedule"]]
    present = node({"key": "dedicated", "effect": "NoSchedule"}, NOT_READY, ours=ours, a="b")
    present["metadata"]["annotations"][LABELS_ANNOTATION] = '["a"]'
    assert node_patch(present, {"a": "b"}, [("dedicated", "", "NoSchedule")]) == {}
    assert node_patch(node(NOT_READY, THEIRS, ours=[]), {}, []) == {}
    assert node_patch(node(CONTROL_PLANE), {}, None) == {}


def test_taints_of_others_stay() -> None:
    patch = node_patch(node(NOT_READY, THEIRS), {}, [("dedicated", "x", "NoExecute")])
    assert patch["spec"]["taints"][0] == NOT_READY
    assert keys(patch)[1:] == [("somebody.example/gpu", "yes", "NoSchedule"), ("dedicated", "x", "NoExecute")]
    assert json.loads(patch["metadata"]["annotations"][TAINTS_ANNOTATION]) == [["dedicated", "NoExecute"]]


def test_a_taint_that_we_put_there_and_no_longer_want_goes() -> None:
    patch = node_patch(node(THEIRS, {"key": "dedicated", "effect": "NoExecute"}, ours=[["dedicated", "NoExecute"]]), {}, [])
    assert keys(patch) == [("somebody.example/gpu", "yes", "NoSchedule")]
    assert patch["metadata"]["annotations"] == {TAINTS_ANNOTATION: "[]"}


def test_a_value_changes_in_its_place() -> None:
    patch = node_patch(
        node({"key": "a", "value": "1", "effect": "NoSchedule"}, THEIRS, ours=[["a", "NoSchedule"]]), {}, [("a", "2", "NoSchedule")]
    )
    assert keys(patch) == [("a", "2", "NoSchedule"), ("somebody.example/gpu", "yes", "NoSchedule")]


def test_the_control_planes_taint_follows_the_list() -> None:
    assert keys(node_patch(node(CONTROL_PLANE, NOT_READY), {}, [])) == [("node.kubernetes.io/not-ready", "", "NoExecute")]
    kept = node_patch(node(CONTROL_PLANE), {}, [("node-role.kubernetes.io/control-plane", "", "NoSchedule")])
    assert "spec" not in kept


@pytest.mark.parametrize("annotation", ["", "{", "[1]", '{"a": 1}', '[["a"]]'])
def test_a_broken_record_of_ours_removes_nothing(annotation: str) -> None:
    broken = node(THEIRS)
    broken["metadata"]["annotations"] = {TAINTS_ANNOTATION: annotation}
    assert "spec" not in node_patch(broken, {}, [])


@pytest.mark.parametrize(
    ("deployments", "ready"),
    [([], True), ([{"status": {"readyReplicas": 1}}], True), ([{"status": {}}], False), ([{}, {"status": {"readyReplicas": 2}}], True)],
)
def test_dns(deployments: list[dict[str, Any]], ready: bool) -> None:
    assert dns_ready(deployments) is ready


@pytest.mark.parametrize(
    ("metadata", "phase", "leaves"),
    [
        ({}, "Running", True),
        ({}, "Pending", True),
        ({}, "Succeeded", False),
        ({}, "Failed", False),
        ({"annotations": {"kubernetes.io/config.mirror": "x"}}, "Running", False),
        ({"ownerReferences": [{"kind": "DaemonSet", "controller": True}]}, "Running", False),
        ({"ownerReferences": [{"kind": "DaemonSet"}]}, "Running", True),
        ({"ownerReferences": [{"kind": "ReplicaSet", "controller": True}]}, "Running", True),
    ],
)
def test_which_pods_a_drain_moves(metadata: dict[str, Any], phase: str, leaves: bool) -> None:
    assert must_leave({"metadata": metadata, "status": {"phase": phase}}) is leaves


def test_what_we_put_on_a_node_is_known_from_the_node() -> None:
    bare = node_facts(node())
    assert (bare.our_labels, bare.our_taints) == (frozenset(), None)
    marked = node(ours=[["a", "NoSchedule"]])
    marked["metadata"]["annotations"][LABELS_ANNOTATION] = '["x", "y"]'
    facts = node_facts(marked)
    assert (facts.our_labels, facts.our_taints) == ({"x", "y"}, {("a", "NoSchedule")})


@pytest.mark.parametrize("annotation", ["", "{", "[1]", '{"a": 1}', "7", "null"])
def test_a_broken_record_of_labels_is_none(annotation: str) -> None:
    broken = node()
    broken["metadata"]["annotations"] = {LABELS_ANNOTATION: annotation}
    assert node_facts(broken).our_labels == frozenset()
