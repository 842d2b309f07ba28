"""The status contract: our health check and our summaries, judged by oracles of the tools that read them."""

import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from labkit.manifests import ROOT
from labkit.oracles import argo, kstatus, kubectl_wait
from sealcluster.api import Account, ConditionType, Finding, Note, Reason, begin, set_conditions, summarize
from sealcluster.api.status import Condition, ConditionStatus
from sealcluster.api.summary import DETAILS, HEALTH

HEALTH_CHECK = ROOT / "examples" / "argocd" / "health.lua"
ROWS: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "contract.yaml").read_text())
NOW = datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.UTC)
LATER = NOW + datetime.timedelta(minutes=5)
ALL_TRUE = {kind: Finding.true() for kind in DETAILS} | {ConditionType.DRIFTED: Finding.false()}
WORK = Note(Reason.PROVISIONING, "joining masters 2/3")
BLOCK = Note(Reason.HOST_KEY_MISMATCH, "m2 shows another key")


def from_row(row: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": "c", "generation": row.get("generation", 2), **row.get("metadata", {})}
    obj: dict[str, Any] = {"metadata": metadata, "spec": row.get("spec", {})}
    if "status" not in row:
        names = ("type", "status", "reason", "observedGeneration")
        conditions = [dict(zip(names, condition, strict=False)) for condition in row.get("conditions", [])]
        obj["status"] = {"observedGeneration": row.get("observed", 2), "conditions": conditions}
    return obj


def written(account: Account, generation: int = 2, old: tuple[Condition, ...] = ()) -> dict[str, Any]:
    """The object as the operator would leave it."""
    conditions = set_conditions(old, summarize(account), generation, NOW)
    metadata = {"name": "c", "generation": generation} | ({"deletionTimestamp": "2026-01-01T00:00:00Z"} if account.deleting else {})
    status = {"observedGeneration": generation, "conditions": [condition.dump() for condition in conditions]}
    return {"metadata": metadata, "spec": {"paused": account.paused}, "status": status}


def status_of(obj: dict[str, Any], kind: ConditionType) -> str:
    return next(str(condition["status"]) for condition in obj["status"]["conditions"] if condition["type"] == kind)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_what_tools_conclude(row: dict[str, Any]) -> None:
    obj = from_row(row)
    assert kstatus(obj) == row["kstatus"]
    if row["kstatus"] != "Error":  # kubectl cannot even read such an object
        assert kubectl_wait(obj, "Ready") is row["wait"]
    assert argo(obj, HEALTH_CHECK) == row["argo"]


@pytest.mark.parametrize(
    ("account", "verdicts"),
    [
        (Account(ALL_TRUE, applied=True), ("Current", True, "Healthy")),
        (Account(ALL_TRUE, working=WORK), ("InProgress", False, "Progressing")),
        (Account({}, working=WORK), ("InProgress", False, "Progressing")),
        (Account({}), ("InProgress", False, "Progressing")),
        (Account(ALL_TRUE, working=WORK, blocked=BLOCK), ("InProgress", False, "Progressing")),
        (Account(ALL_TRUE, blocked=BLOCK), ("Failed", False, "Degraded")),
        (Account(ALL_TRUE, applied=True, blocked=BLOCK), ("Failed", False, "Degraded")),
        (
            Account({**ALL_TRUE, ConditionType.WORKERS_READY: Finding.false(Reason.NODES_NOT_READY, "w1")}, applied=True),
            ("InProgress", False, "Degraded"),
        ),
        (Account(ALL_TRUE, applied=True, paused=True), ("Current", True, "Suspended")),
        (Account(ALL_TRUE, paused=True), ("InProgress", False, "Suspended")),
        (Account(ALL_TRUE, blocked=BLOCK, paused=True), ("InProgress", False, "Suspended")),
        (Account(ALL_TRUE, applied=True, deleting=True), ("Terminating", False, "Progressing")),
        (Account(ALL_TRUE, blocked=BLOCK, deleting=True), ("Terminating", False, "Progressing")),
        (Account(ALL_TRUE, paused=True, deleting=True), ("Terminating", False, "Progressing")),
    ],
)
def test_what_tools_conclude_from_what_we_write(account: Account, verdicts: tuple[str, bool, str]) -> None:
    obj = written(account)
    assert (kstatus(obj), kubectl_wait(obj, "Ready"), argo(obj, HEALTH_CHECK)) == verdicts


def test_a_new_generation_is_in_progress_from_the_first_write_on() -> None:
    old = set_conditions((), summarize(Account(ALL_TRUE, applied=True)), 2, NOW)
    conditions = begin(old, 3, LATER)
    obj = {
        "metadata": {"name": "c", "generation": 3},
        "status": {"observedGeneration": 3, "conditions": [condition.dump() for condition in conditions]},
    }
    assert (kstatus(obj), kubectl_wait(obj, "Ready"), argo(obj, HEALTH_CHECK)) == ("InProgress", False, "Progressing")
    assert status_of(obj, ConditionType.AVAILABLE) == "True", "a serving cluster goes on serving"
    assert not kubectl_wait(obj, "Available"), "but that was seen under the previous spec"


def test_the_first_write_about_a_new_object_has_every_condition() -> None:
    conditions = begin((), 1, NOW)
    assert [condition.type for condition in conditions] == [kind.value for kind in ConditionType]
    assert {condition.observed_generation for condition in conditions} == {1}


def test_deletion_that_waits_for_a_person_is_stalled() -> None:
    obj = written(Account({}, blocked=Note(Reason.LOST_HOST_NEEDS_ACKNOWLEDGEMENT, "m2"), deleting=True))
    assert status_of(obj, ConditionType.STALLED) == "True"
    assert status_of(obj, ConditionType.RECONCILING) == "False"
    assert status_of(obj, ConditionType.READY) == "False"


findings = st.builds(Finding, st.sampled_from(ConditionStatus), st.sampled_from(Reason), st.text(max_size=20))
notes = st.none() | st.builds(Note, st.sampled_from(Reason), st.text(max_size=20))
accounts = st.builds(
    Account,
    details=st.dictionaries(st.sampled_from(DETAILS), findings) | st.just(ALL_TRUE),
    applied=st.booleans(),
    working=notes,
    blocked=notes,
    paused=st.booleans(),
    deleting=st.booleans(),
)


@given(accounts)
def test_the_contract_holds_for_every_account(account: Account) -> None:
    obj = written(account)
    reconciling, stalled, ready = (status_of(obj, kind) for kind in (ConditionType.RECONCILING, ConditionType.STALLED, ConditionType.READY))
    assert not (reconciling == "True" and stalled == "True")
    if ready == "True":
        assert (reconciling, stalled) == ("False", "False")
        assert account.applied and not account.deleting
        assert all(account.details[kind].status is ConditionStatus.TRUE for kind in HEALTH)
    if account.deleting:
        assert ready == "False"
        assert kstatus(obj) == "Terminating"
    if account.paused:
        assert reconciling == stalled == "False"
    assert [condition["type"] for condition in obj["status"]["conditions"]] == [kind.value for kind in ConditionType]


@given(accounts, accounts)
def test_a_transition_time_moves_only_with_the_status(before: Account, after: Account) -> None:
    old = set_conditions((), summarize(before), 1, NOW)
    new = set_conditions(old, summarize(after), 2, LATER)
    for was, now in zip(old, new, strict=True):
        assert was.type == now.type
        moved = was.last_transition_time != now.last_transition_time
        assert moved is (was.status is not now.status)
        assert now.observed_generation == 2
