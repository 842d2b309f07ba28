"""Plain columns, as kubectl prints them: the same text on every terminal, easy to cut."""

from __future__ import annotations

from collections.abc import Sequence

GAP = "  "


def columns(rows: Sequence[Sequence[str]], indent: str = "") -> list[str]:
    """The rows as lines; every column but the last is as wide as its longest cell, columns that are empty everywhere are left out."""
    if not rows:
        return []
    width = max(len(row) for row in rows)
    full = [[*row, *[""] * (width - len(row))] for row in rows]
    used = [n for n in range(width) if any(row[n] for row in full)]
    widths = {n: max(len(row[n]) for row in full) for n in used}
    return [(indent + GAP.join(row[n].ljust(widths[n]) for n in used)).rstrip() for row in full]


def table(head: Sequence[str], rows: Sequence[Sequence[str]], indent: str = "") -> list[str]:
    """The same with a head, whose columns go where nothing stands below them."""
    used = [n for n in range(len(head)) if any(n < len(row) and row[n] for row in rows)]
    return columns([[head[n] for n in used], *([row[n] if n < len(row) else "" for n in used] for row in rows)], indent)
