"""Copies of what JSON can say: `copy.deepcopy` remembers every object that it meets, which made it most of a large world's making."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


def copied(value: T) -> T:
    """The same tree of dicts and lists, none of them shared with the original; leaves cannot be changed and are."""
    if isinstance(value, dict):
        return {key: copied(inner) for key, inner in value.items()}  # type: ignore[return-value]  # a dict as it was
    if isinstance(value, list):
        return [copied(inner) for inner in value]  # type: ignore[return-value]  # a list as it was
    return value
