"""Conditions and the catalogue of reasons."""

import datetime
import re

import pytest

from sealcluster.api import CATALOGUE, ConditionType, Finding, Nature, Reason, hint, is_terminal, phase_word, set_conditions
from sealcluster.api.status import Condition, ConditionStatus
from sealcluster.api.summary import MAX_MESSAGE, timestamp

NOW = datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.UTC)
LATER = NOW + datetime.timedelta(hours=1)


def test_every_reason_has_its_entry() -> None:
    assert set(CATALOGUE) == set(Reason)


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_says_what_happened_and_what_to_do(reason: Reason) -> None:
    entry = CATALOGUE[reason]
    assert re.fullmatch(r"[A-Z][A-Za-z]+", reason.value)
    assert entry.cause.endswith(".")
    if entry.nature is not Nature.NORMAL:
        assert entry.cure.endswith("."), "what goes wrong has a cure"
    assert hint(reason) == entry.cure


def test_what_a_retry_cannot_fix_is_terminal() -> None:
    for reason in ("HostKeyMismatch", "AuthenticationFailed", "PreflightFailed", "InvalidSpec", "ArchMismatch", "QuorumAtRisk"):
        assert is_terminal(Reason(reason))
    for reason in ("HostUnreachable", "ImagePullFailed", "ProgressingWithRetry", "InternalError", "NodesNotReady"):
        assert not is_terminal(Reason(reason))


def test_what_is_not_mentioned_stays_and_foreign_types_come_last() -> None:
    foreign = Condition(type="Blessed", status=ConditionStatus.TRUE, reason="ByTeam", message="", last_transition_time=timestamp(NOW))
    old = set_conditions((foreign,), {ConditionType.DRIFTED: Finding.false()}, 1, NOW)
    new = set_conditions(old, {ConditionType.READY: Finding.true(Reason.CLUSTER_READY)}, 2, LATER)
    assert [condition.type for condition in new] == ["Ready", "Drifted", "Blessed"]
    assert new[1:] == old


def test_a_long_message_is_cut_with_a_mark() -> None:
    (condition,) = set_conditions((), {ConditionType.READY: Finding.false(Reason.INTERNAL_ERROR, "x" * 9999)}, 1, NOW)
    assert len(condition.message) == MAX_MESSAGE
    assert condition.message.endswith("…")


def test_time_is_utc_in_whole_seconds() -> None:
    zone = datetime.timezone(datetime.timedelta(hours=2))
    assert timestamp(datetime.datetime(2026, 1, 31, 14, 0, 0, 999, tzinfo=zone)) == "2026-01-31T12:00:00Z"
    with pytest.raises(ValueError, match="no time zone"):
        timestamp(datetime.datetime(2026, 1, 31))


@pytest.mark.parametrize(
    ("true", "word"),
    [
        ((), "Degraded"),
        (("Ready",), "Ready"),
        (("Ready", "Paused"), "Paused"),
        (("Reconciling",), "Provisioning"),
        (("Reconciling", "Available"), "Updating"),
        (("Stalled", "Available"), "Stalled"),
        (("Deleting", "Stalled", "Paused"), "Deleting"),
    ],
)
def test_phase_is_one_word(true: tuple[str, ...], word: str) -> None:
    found = {ConditionType(kind): Finding.true() for kind in true}
    assert phase_word(set_conditions((), found, 1, NOW)) == word
