"""Exit codes that mean something (documented in docs/cli.md)."""

from __future__ import annotations

from sealcluster.core.errors import SealError, TerminalError

FAILED = 1
"""Something went wrong that may be gone next time: try again."""
INVALID = 2
"""What was asked for cannot be used; nothing was touched."""
BLOCKED = 3
"""A person must change something; the message says what."""
DIFFERENT = 4
"""With --exit-code: the answer is "not yet" (the plan is not empty, the cluster is not Ready)."""
INTERNAL = 70
"""A bug of ours; the log has the traceback."""
INTERRUPTED = 130
"""Stopped by the user; nothing is lost."""

_ASKED_FOR = frozenset({"InvalidSpec", "DuplicateAddress", "ImmutableField", "UpgradeNotSupported"})
"""Reasons that are about the request, not about the world."""


def of(error: SealError) -> int:
    """The exit code for an error that ended a command."""
    if not isinstance(error, TerminalError):
        return FAILED
    return INVALID if error.reason in _ASKED_FOR else BLOCKED
