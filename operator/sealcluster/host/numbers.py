"""Numbers in what a machine says. It may say anything: superscripts are digits for Python, and five thousand nines are a number."""

from __future__ import annotations

MOST_DIGITS = 18


def number(word: str) -> int | None:
    """The number; None for what is none, or larger than any that makes sense."""
    return int(word) if word.isascii() and word.isdigit() and len(word) <= MOST_DIGITS else None
