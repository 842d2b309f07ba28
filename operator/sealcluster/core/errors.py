"""Everything this project raises on purpose.

::

    SealError
    ├── TransientError      worth trying again with backoff: link lost, 5xx, a registry that does not answer
    │   ├── JobFailed       a job on a machine was seen to end, and not well
    │   └── StateConflict   somebody else changed the state record; load it again and decide anew
    ├── TerminalError       the same inputs will fail again: bad credentials, unsupported image, host of another cluster
    └── Fenced              a newer operator took over: stop everything, touch nothing

Whatever else is raised is a bug of ours and is reported as ``InternalError`` with its traceback in the log.
"""

from __future__ import annotations


class SealError(Exception):
    """A failure that says everything once: what, where, why (`reason`) and what to do (`hint`).

    `reason` is a member of `sealcluster.api.conditions.Reason` (its string value); `output` are the last lines
    that the failing step printed, already redacted; `unit_log` those of the unit that it has to do with.
    """

    default_reason = "InternalError"

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        host: str | None = None,
        step: str | None = None,
        exit_code: int | None = None,
        output: str = "",
        hint: str = "",
        unit: str = "",
        unit_log: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason or self.default_reason
        self.host = host
        self.step = step
        self.exit_code = exit_code
        self.output = output
        self.hint = hint
        self.unit = unit
        self.unit_log = unit_log


class TransientError(SealError):
    """Worth trying again with backoff."""

    default_reason = "ProgressingWithRetry"


class JobFailed(TransientError):
    """A job on a machine was seen to end with the exit code that this holds. Any other error while one is followed, also with an exit code,
    leaves open whether it still runs there."""


class StateConflict(TransientError):
    """The state record changed under us (compare-and-swap failed)."""

    default_reason = "StateConflict"


class TerminalError(SealError):
    """A person must change something; retrying alone cannot help."""


class Fenced(SealError):
    """A newer fencing number was seen: this operator no longer owns the cluster."""

    default_reason = "Fenced"
