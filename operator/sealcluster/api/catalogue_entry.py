"""The shape of an entry in the catalogue of reasons."""

from dataclasses import dataclass
from enum import StrEnum

from sealcluster.api.conditions import ConditionType as C


class Nature(StrEnum):
    """What a reason means for the course of things."""

    NORMAL = "normal"
    """Nothing is wrong."""

    TRANSIENT = "transient"
    """Trying again can help: Reconciling stays True."""

    TERMINAL = "terminal"
    """The same inputs fail again: Stalled, until a person or the world changes something."""

    DEGRADED = "degraded"
    """Everything was applied, yet something is not healthy now: neither Reconciling nor Stalled."""


class Scope(StrEnum):
    """Whom a reason concerns."""

    CLUSTER = "cluster"
    """Everybody waits."""

    HOST = "host"
    """This host is left out, the others go on."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One reason of the catalogue."""

    condition: C
    """Condition that it is reported in, besides the three on top."""

    nature: Nature
    scope: Scope

    cause: str
    """What happened, for somebody who reads it for the first time."""

    cure: str
    """What to do; empty when there is nothing to do."""


def normal(condition: C, cause: str, cure: str = "") -> Entry:
    """Nothing is wrong."""
    return Entry(condition, Nature.NORMAL, Scope.CLUSTER, cause, cure)


def for_cluster(condition: C, nature: Nature, cause: str, cure: str) -> Entry:
    """Everybody waits, or is told."""
    return Entry(condition, nature, Scope.CLUSTER, cause, cure)


def for_host(condition: C, nature: Nature, cause: str, cure: str) -> Entry:
    """One host is concerned."""
    return Entry(condition, nature, Scope.HOST, cause, cure)


AGAIN, PERSON, DEGRADED = Nature.TRANSIENT, Nature.TERMINAL, Nature.DEGRADED
