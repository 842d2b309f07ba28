"""When to try again. Pure but for the jitter that is handed in."""

from __future__ import annotations

from sealcluster.core.errors import SealError, TerminalError
from sealcluster.core.plan import Action, Failure, Problem

FIRST, LONGEST = 2.0, 60.0
PATIENCE = 6
"""Consecutive failures after which a person is asked, while we go on trying slowly."""
SLOW = 300.0
SLOW_AUTHENTICATION = 600.0
CHEAP = {"DrainBlocked": 20.0, "SecretMissing": 15.0, "ImageNotFound": 30.0}
"""Seconds between two tries of what costs nothing and may be mended at any moment: a budget, a Secret, a tag in a registry."""
_AUTHENTICATION = ("AuthenticationFailed", "SudoFailed")
OF_CREDENTIALS = (*_AUTHENTICATION, "SecretMissing", "HostKeyUnknown", "HostKeyMismatch")
"""Why a machine was not seen, where a changed Secret or known_hosts text helps."""


def delay(reason: str, count: int, *, terminal: bool, jitter: float) -> float:
    """Seconds until the next try: exponential up to a minute, then every 5 minutes (10 for credentials: lock-outs are real).

    A machine that does not answer is tried every minute for ever: it is to join by itself when it comes back.
    """
    if reason in CHEAP:
        return CHEAP[reason]
    if terminal or (count >= PATIENCE and reason != "HostUnreachable"):
        return SLOW_AUTHENTICATION if reason in _AUTHENTICATION else SLOW
    count = min(count, PATIENCE)
    return min(LONGEST, FIRST * float(1 << (count - 1))) * (0.75 + 0.5 * jitter)


def failure(action: Action, error: SealError, before: Failure | None, now: float, jitter: float, *, steady: float) -> Failure:
    """What to remember of an action that failed. `now` is the wall clock, to be shown; `steady` counts towards the next try."""
    count = (before.count if before else 0) + 1
    terminal = isinstance(error, TerminalError) or (count >= PATIENCE and error.reason != "DrainBlocked")
    problem = Problem(
        reason=error.reason,
        message=error.message,
        host=error.host or action.host,
        phase=action.phase,
        hint=error.hint,
        terminal=terminal,
        cluster=not (error.host or action.host),
    )
    wait = delay(error.reason, count, terminal=isinstance(error, TerminalError), jitter=jitter)
    return Failure(
        count,
        problem,
        steady + wait,
        step=error.step or action.what,
        exit_code=error.exit_code,
        output=error.output,
        time=now,
        unit=error.unit,
        unit_log=error.unit_log,
    )
