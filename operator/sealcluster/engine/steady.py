"""Time that only goes forward, for intervals: the wall clock of the operator's machine may jump."""

from __future__ import annotations

import asyncio


def steady() -> float:
    """Seconds since some moment; differences are elapsed time whatever anybody sets a clock to."""
    return asyncio.get_running_loop().time()
