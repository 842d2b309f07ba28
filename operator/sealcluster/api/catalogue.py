"""What each reason means, whom it concerns, whether trying again can help and what a person can do."""

from collections.abc import Mapping
from types import MappingProxyType

from sealcluster.api.catalogue_entry import Entry, Nature, Scope
from sealcluster.api.catalogue_preparing import PREPARING
from sealcluster.api.catalogue_running import RUNNING
from sealcluster.api.conditions import Reason

__all__ = ["CATALOGUE", "Entry", "Nature", "Scope", "hint", "is_terminal"]

CATALOGUE: Mapping[Reason, Entry] = MappingProxyType({**PREPARING, **RUNNING})
"""Complete: every Reason has its entry (a test says so)."""


def is_terminal(reason: Reason) -> bool:
    """True when only a person, or a change of the world, can help."""
    return CATALOGUE[reason].nature is Nature.TERMINAL


def hint(reason: Reason) -> str:
    """What to do about it; empty when there is nothing to do."""
    return CATALOGUE[reason].cure
