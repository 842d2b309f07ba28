"""Durations as people write them in a SealCluster: one number, one unit."""

import re
from datetime import timedelta

from sealcluster.api.scalars import DURATION_PATTERN

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400, "y": 365 * 86_400}


def duration(text: str) -> timedelta:
    """Length of `10y`, `2w`, `30d`, `12h`, `5m` or `90s`; a year has 365 days, as certificates count them."""
    if re.fullmatch(DURATION_PATTERN, text) is None:
        raise ValueError(f"reading duration {text!r}: want a number and one of y, w, d, h, m, s, such as 10y or 5m")
    return timedelta(seconds=int(text[:-1]) * _SECONDS[text[-1]])
