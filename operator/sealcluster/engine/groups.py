"""Errors of tasks side by side, of which one has to be raised."""

from __future__ import annotations

from collections.abc import Iterator

from sealcluster.core.errors import Fenced, SealError


def weightiest(group: ExceptionGroup[Exception]) -> Exception:
    """The one that decides: a newer operator, else a bug of ours, else what was foreseen."""
    leaves = list(_leaves(group))
    return min(leaves, key=lambda e: (not isinstance(e, Fenced), isinstance(e, SealError)))


def _leaves(group: ExceptionGroup[Exception]) -> Iterator[Exception]:
    for error in group.exceptions:
        if isinstance(error, ExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
