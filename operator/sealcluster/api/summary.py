"""From what one pass saw to the conditions of status: pure, and the only place where the status contract is kept.

The contract, as kstatus (Flux, Helm), `kubectl wait` and Argo CD read it: Reconciling and Stalled are never both True;
Ready is True only when this generation is applied and was seen healthy; a deleted object is never Ready; a
transition time moves only when the status does.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sealcluster.api.conditions import ConditionType as C
from sealcluster.api.conditions import Reason
from sealcluster.api.status import Condition, ConditionStatus

MAX_MESSAGE = 2048
"""Characters of a condition's message; longer ones are cut."""

HEALTH = (
    C.SPEC_VALID,
    C.CREDENTIALS_VALID,
    C.HOSTS_REACHABLE,
    C.PREFLIGHT_PASSED,
    C.IMAGE_AVAILABLE,
    C.REGISTRY_AVAILABLE,
    C.CONTROL_PLANE_INITIALIZED,
    C.CONTROL_PLANE_HEALTHY,
    C.ETCD_HEALTHY,
    C.WORKERS_READY,
    C.ENDPOINT_REACHABLE,
    C.GUESTS_APPLIED,
    C.CERTIFICATES_VALID,
)
"""What has to be True for Ready, in the order in which a person wants to hear of it."""

DETAILS = (C.AVAILABLE, *HEALTH, C.DRIFTED)
"""Conditions that a pass reports itself; the others follow from them."""

_ORDER = {kind.value: number for number, kind in enumerate(C)}


@dataclass(frozen=True, slots=True)
class Finding:
    """What a condition is to say."""

    status: ConditionStatus
    reason: Reason
    message: str = ""

    @classmethod
    def true(cls, reason: Reason = Reason.AS_EXPECTED, message: str = "") -> "Finding":
        """It is so."""
        return cls(ConditionStatus.TRUE, reason, message)

    @classmethod
    def false(cls, reason: Reason = Reason.AS_EXPECTED, message: str = "") -> "Finding":
        """It is not so."""
        return cls(ConditionStatus.FALSE, reason, message)

    @classmethod
    def unknown(cls, reason: Reason = Reason.NOT_YET_OBSERVED, message: str = "") -> "Finding":
        """It could not be seen."""
        return cls(ConditionStatus.UNKNOWN, reason, message)


@dataclass(frozen=True, slots=True)
class Note:
    """Why, for machines and for people."""

    reason: Reason
    message: str


@dataclass(frozen=True)
class Account:
    """What one pass has to tell."""

    details: Mapping[C, Finding] = field(default_factory=dict)
    """Findings by condition, of those in DETAILS; what is missing is Unknown."""

    applied: bool = False
    """Everything that this generation of the spec asks for is done: the plan is empty."""

    working: Note | None = None
    """Something is being done or will be tried again by itself."""

    blocked: Note | None = None
    """Something waits for a person. While anything else is still worked on, that goes first."""

    paused: bool = False
    deleting: bool = False


def summarize(account: Account) -> dict[C, Finding]:
    """All conditions of a SealCluster after one pass."""
    details = {kind: account.details.get(kind, Finding.unknown()) for kind in DETAILS}
    working = None if account.paused else _work(account)
    blocked = None if account.paused or working else account.blocked
    return {
        C.READY: _ready(account, details, working, blocked),
        C.RECONCILING: _finding(working),
        C.STALLED: _finding(blocked),
        C.PAUSED: Finding.true(Reason.PAUSED, _paused_message(account)) if account.paused else Finding.false(),
        C.DELETING: Finding.true(Reason.DELETING) if account.deleting else Finding.false(),
        **details,
    }


def begin(old: Iterable[Condition], generation: int, now: datetime) -> tuple[Condition, ...]:
    """Conditions for the first write about a new generation, before anything was looked at.

    An old Ready=True must not stand beside the new observedGeneration, or tools report success too early.
    """
    known = {condition.type for condition in old}
    start = Note(Reason.INITIALIZING, "the spec is new; its machines are being looked at")
    fresh = {
        C.READY: Finding.unknown(start.reason, start.message),
        C.RECONCILING: _finding(start),
        C.STALLED: Finding.false(),
    }
    fresh |= {kind: Finding.unknown() for kind in DETAILS if kind.value not in known}
    fresh |= {kind: Finding.false() for kind in (C.PAUSED, C.DELETING) if kind.value not in known}
    return set_conditions(old, fresh, generation, now)


def set_conditions(old: Iterable[Condition], new: Mapping[C, Finding], generation: int, now: datetime) -> tuple[Condition, ...]:
    """Conditions after `new` was found at `now` about `generation`; what `new` does not mention stays as it was.

    lastTransitionTime moves only when status does. The order is that of ConditionType; types that are not ours follow.
    """
    merged = {condition.type: condition for condition in old}
    for kind, finding in new.items():
        before = merged.get(kind.value)
        unchanged = before is not None and before.status == finding.status
        merged[kind.value] = Condition(
            type=kind.value,
            status=finding.status,
            reason=finding.reason.value,
            message=shorten(finding.message, MAX_MESSAGE),
            last_transition_time=before.last_transition_time if before and unchanged else timestamp(now),
            observed_generation=generation,
        )
    return tuple(sorted(merged.values(), key=lambda condition: _ORDER.get(condition.type, len(_ORDER))))


def phase_word(conditions: Iterable[Condition]) -> str:
    """One word for the printed column."""
    true = {condition.type for condition in conditions if condition.status is ConditionStatus.TRUE}
    for kind in (C.DELETING, C.PAUSED, C.STALLED):
        if kind.value in true:
            return kind.value
    if C.RECONCILING.value in true:
        return "Updating" if C.AVAILABLE.value in true else "Provisioning"
    return "Ready" if C.READY.value in true else "Degraded"


def timestamp(moment: datetime) -> str:
    """A moment as the API writes it: UTC, whole seconds."""
    if moment.tzinfo is None:
        raise ValueError("writing a time: it has no time zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def shorten(text: str, limit: int) -> str:
    """The text, cut to `limit` characters with a mark that it was."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _work(account: Account) -> Note | None:
    if account.working:
        return account.working
    if account.applied or account.blocked:
        return None
    if account.deleting:
        return Note(Reason.DELETING, "the hosts are being released")
    return Note(Reason.PROVISIONING, "there is work left to do")


def _finding(note: Note | None) -> Finding:
    return Finding.true(note.reason, note.message) if note else Finding.false()


def _ready(account: Account, details: Mapping[C, Finding], working: Note | None, blocked: Note | None) -> Finding:
    if account.deleting:
        return Finding.false(Reason.DELETING, _first_message(working, blocked) or "the SealCluster is being deleted")
    for note in (working, blocked):
        if note:
            return Finding.false(note.reason, note.message)
    for kind in HEALTH:
        finding = details[kind]
        if finding.status is not ConditionStatus.TRUE:
            return Finding(finding.status, finding.reason, finding.message or f"{kind.value} is {finding.status.value}")
    if not account.applied:
        return Finding.false(Reason.PAUSED, _paused_message(account))
    return Finding.true(Reason.CLUSTER_READY, "everything is applied and healthy")


def _first_message(*notes: Note | None) -> str:
    return next((note.message for note in notes if note), "")


def _paused_message(account: Account) -> str:
    if account.deleting:
        return "spec.paused holds up the deletion"
    return "nothing is changed" if account.applied else "spec.paused holds up changes"
