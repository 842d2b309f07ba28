"""The actions that people find on a SealCluster in Argo CD: when they are offered, and exactly what they change."""

import copy
import datetime
from typing import Any

import pytest

from labkit import argocd
from labkit.manifests import ROOT, manifest
from sealcluster.api import RETRY_ANNOTATION, parse

ACTIONS = ROOT / "examples" / "argocd" / "actions"
NOW = datetime.datetime(2026, 1, 31, 9, 5, 7, tzinfo=datetime.UTC).timestamp()


def cluster(stalled: str = "False", **more: Any) -> dict[str, Any]:
    """An object as the API server has it: empty maps and lists included."""
    obj = manifest({"env": {}, "configs": [], "kubeadm": {"kubelet": {}}, "paused": False})
    obj["metadata"] |= {"generation": 3, "finalizers": ["sealcluster.io/finalizer"]}
    condition = {"type": "Stalled", "status": stalled, "reason": "AsExpected", "message": "", "lastTransitionTime": "2026-01-31T09:00:00Z"}
    obj["status"] = {"observedGeneration": 3, "conditions": [condition], **more}
    return obj


def script(name: str) -> str:
    return (ACTIONS / f"{name}.lua").read_text()


def offered(obj: dict[str, Any]) -> set[str]:
    return {name for name, enabled in argocd.offered(obj, script("discovery")).items() if enabled}


def test_a_cluster_at_work_can_be_paused() -> None:
    assert offered(cluster()) == {"pause"}


def test_a_paused_cluster_can_only_be_resumed() -> None:
    obj = cluster(stalled="True", lastFailure={"reason": "GuestFailed"})
    obj["spec"]["paused"] = True
    assert offered(obj) == {"resume"}


def test_a_stalled_cluster_can_be_tried_again() -> None:
    assert offered(cluster(stalled="True")) == {"pause", "retry"}


def test_a_failure_that_is_tried_again_by_itself_can_be_tried_at_once() -> None:
    assert offered(cluster(lastFailure={"reason": "GuestFailed"})) == {"pause", "retry"}


def test_an_object_that_nobody_has_looked_at_offers_a_pause() -> None:
    obj = manifest()
    assert offered(obj) == {"pause"}
    assert offered({**obj, "status": {"observedGeneration": -1}}) == {"pause"}


def test_every_action_that_is_offered_has_a_script_and_the_other_way_round() -> None:
    assert {*argocd.offered(cluster(), script("discovery"))} == {path.stem for path in ACTIONS.glob("*.lua")} - {"discovery"}


@pytest.mark.parametrize(("action", "before", "after"), [("pause", False, True), ("resume", True, False)])
def test_pausing_and_resuming_change_one_field(action: str, before: bool, after: bool) -> None:
    obj = cluster()
    obj["spec"]["paused"] = before
    wanted, patch = argocd.act(obj, script(action))
    assert patch == {"spec": {"paused": after}}
    assert wanted == {**obj, "spec": {**obj["spec"], "paused": after}}
    assert parse(wanted).spec.paused is after


def test_pausing_works_on_an_object_that_does_not_mention_it() -> None:
    obj = manifest()
    assert argocd.act(obj, script("pause"))[1] == {"spec": {"paused": True}}


def test_a_retry_sets_the_annotation_that_the_operator_looks_for() -> None:
    obj = cluster(stalled="True")
    wanted, patch = argocd.act(obj, script("retry"), NOW)
    assert patch == {"metadata": {"annotations": {RETRY_ANNOTATION: "2026-01-31T09:05:07Z"}}}
    assert parse(wanted).metadata.annotations[RETRY_ANNOTATION] == "2026-01-31T09:05:07Z"


def test_a_second_retry_has_another_value_and_leaves_other_annotations_alone() -> None:
    obj = cluster(stalled="True")
    obj["metadata"]["annotations"] = {RETRY_ANNOTATION: "2026-01-31T09:05:07Z", "owner": "team"}
    patch = argocd.act(obj, script("retry"), NOW + 1)[1]
    assert patch == {"metadata": {"annotations": {RETRY_ANNOTATION: "2026-01-31T09:05:08Z"}}}


@pytest.mark.parametrize("action", ["pause", "resume", "retry"])
def test_an_action_leaves_what_it_was_given_as_it_was(action: str) -> None:
    obj = cluster()
    before = copy.deepcopy(obj)
    argocd.act(obj, script(action), NOW)
    assert obj == before


def test_the_judge_refuses_what_argo_cd_would_refuse() -> None:
    for bad in ("return 1", 'return ("a"):upper()', "return os.time()", 'return {require("os").date("!%T")}', "return {[1] = 1, a = 2}"):
        with pytest.raises(Exception, match=r"table is expected|index|nil value|does not know|several kinds"):
            argocd.run(bad, cluster())
