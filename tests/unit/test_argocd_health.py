"""The shipped health check of Argo CD: every reason that a status can carry, and objects that are not as one would like them."""

from typing import Any

import pytest

from labkit import argocd
from labkit.manifests import ROOT
from sealcluster.api import Reason
from sealcluster.api.catalogue import CATALOGUE, Nature

CHECK = ROOT / "examples" / "argocd" / "health.lua"
MESSAGE = "joining masters 2/3"
WAITING = {"AwaitingApproval", "OutsideMaintenanceWindow"}


def condition(kind: str, status: str, reason: str = "AsExpected", message: str = "") -> dict[str, Any]:
    return {"type": kind, "status": status, "reason": reason, "message": message, "observedGeneration": 2}


def cluster(*conditions: dict[str, Any], **status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "c", "namespace": "n", "generation": 2},
        "spec": {"paused": False},
        "status": {"observedGeneration": 2, "conditions": list(conditions), **status},
    }


def reconciling(reason: str) -> dict[str, Any]:
    return cluster(
        condition("Ready", "False", reason, MESSAGE), condition("Reconciling", "True", reason, MESSAGE), condition("Stalled", "False")
    )


def stalled(reason: str) -> dict[str, Any]:
    return cluster(
        condition("Ready", "False", reason, MESSAGE), condition("Reconciling", "False"), condition("Stalled", "True", reason, MESSAGE)
    )


def settled(reason: str, ready: str = "False") -> dict[str, Any]:
    return cluster(condition("Ready", ready, reason, MESSAGE), condition("Reconciling", "False"), condition("Stalled", "False"))


@pytest.mark.parametrize("reason", Reason)
def test_work_under_way_is_progressing_whatever_its_reason(reason: Reason) -> None:
    assert argocd.health(reconciling(reason), CHECK) == ("Progressing", MESSAGE)


@pytest.mark.parametrize("reason", [r for r in Reason if CATALOGUE[r].nature is Nature.TERMINAL])
def test_what_waits_for_a_person_is_degraded_and_says_why(reason: Reason) -> None:
    assert argocd.health(stalled(reason), CHECK) == ("Degraded", MESSAGE)


@pytest.mark.parametrize("reason", [r for r in Reason if CATALOGUE[r].nature is Nature.DEGRADED])
def test_what_got_sick_after_it_was_applied_is_degraded_and_says_why(reason: Reason) -> None:
    assert argocd.health(settled(reason), CHECK) == ("Degraded", MESSAGE)


def test_a_ready_cluster_is_healthy() -> None:
    assert argocd.health(settled(Reason.CLUSTER_READY, "True"), CHECK) == ("Healthy", MESSAGE)


@pytest.mark.parametrize("reason", sorted(WAITING))
def test_what_waits_for_a_clock_or_an_approval_is_suspended(reason: str) -> None:
    assert argocd.health(reconciling(reason), CHECK) == ("Suspended", MESSAGE)


def test_a_condition_without_a_message_is_told_by_its_reason() -> None:
    silent = cluster(condition("Ready", "False", "NodesNotReady"))
    assert argocd.health(silent, CHECK) == ("Degraded", "NodesNotReady")


def test_an_unknown_readiness_is_progressing() -> None:
    assert argocd.health(settled(Reason.NOT_YET_OBSERVED, "Unknown"), CHECK)[0] == "Progressing"


@pytest.mark.parametrize("status", [None, {}, {"conditions": []}, {"observedGeneration": 2}, {"observedGeneration": 2, "conditions": [{}]}])
def test_a_status_with_holes_is_progressing_and_no_error(status: dict[str, Any] | None) -> None:
    obj = {key: value for key, value in {**cluster(), "status": status}.items() if value is not None}
    assert argocd.health(obj, CHECK)[0] == "Progressing"


def test_a_pause_goes_before_what_an_older_status_says() -> None:
    paused = {**stalled(Reason.PREFLIGHT_FAILED), "spec": {"paused": True}}
    assert argocd.health(paused, CHECK)[0] == "Suspended"


def test_the_default_of_the_crd_is_progressing() -> None:
    assert argocd.health({**cluster(), "status": {"observedGeneration": -1}}, CHECK)[0] == "Progressing"
