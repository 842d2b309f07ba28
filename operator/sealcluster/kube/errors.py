"""What an API server's answers mean for us.

::

    TransientError
    ├── Unavailable       no answer, 429, 5xx: worth trying again
    └── StateConflict
        └── Conflict      409: somebody else was there first
    TerminalError
    ├── NotFound          404
    └── Refused           400, 401, 403, 413, 422, …: the same request will fail again
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sealcluster.core.errors import SealError, StateConflict, TerminalError, TransientError

_LONGEST_MESSAGE = 1000
_LONGEST_RETRY_AFTER = 30.0


class Unavailable(TransientError):
    """No usable answer.

    `answered`: there was one (429, 5xx); `retry_after`: seconds that it asks us to wait; `again`: the same request may work in a moment;
    `causes`: what stands in the way, such as a disruption budget.
    """

    def __init__(
        self, message: str, *, answered: bool = False, again: bool = True, retry_after: float | None = None, causes: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, hint="the API server must answer; it is tried again")
        self.answered = answered
        self.retry_after = retry_after
        self.again = again
        self.causes = causes


class Conflict(StateConflict):
    """409. `exists`: create found an object of that name. `after_lost_reply`: an earlier attempt of the same request got no answer,
    so the change that is in the way may be our own."""

    def __init__(self, message: str, *, exists: bool = False) -> None:
        super().__init__(message, hint="it is read again and decided anew")
        self.exists = exists
        self.after_lost_reply = False


class NotFound(TerminalError):
    """404. Callers who expect the object use `KubeClient.find` and say what its absence means."""


class Refused(TerminalError):
    """The API server will not do this, now or later. `status` is the HTTP code; `named`: it says which field or object is at fault."""

    default_reason = "StorageRefused"

    def __init__(self, message: str, *, status: int, hint: str = "", named: bool = True) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.named = named


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, read whole."""

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def status_object(self) -> dict[str, Any]:
        """The `Status` that explains a failure; empty when the server sent something else."""
        try:
            data = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return data if isinstance(data, dict) and data.get("kind") == "Status" else {}

    def retry_after(self) -> float | None:
        """Seconds from the Retry-After header, bounded; None when it is absent or a date."""
        text = self.headers.get("Retry-After", "")
        return min(float(text), _LONGEST_RETRY_AFTER) if text.isascii() and text.isdigit() else None


def error_of(answer: Answer, doing: str) -> SealError:
    """The error for an answer that is not 2xx; `doing` names verb and object."""
    status = answer.status_object()
    text = str(status.get("message") or f"the API server answered with status {answer.status}")[:_LONGEST_MESSAGE]
    message = f"{doing}: {text}"
    reason = status.get("reason")
    match answer.status:
        case 404:
            return NotFound(message)
        case 409:
            return Conflict(message, exists=reason == "AlreadyExists")
        case 410:
            return Unavailable(message, answered=True, again=False)
        case 401:
            return Refused(message, status=401, hint="the token or client certificate is not accepted; renew it")
        case 403:
            return Refused(message, status=403, hint="grant this verb in the operator's Role")
        case 408 | 429:
            causes = _causes(status.get("details"))
            return Unavailable(message, answered=True, retry_after=answer.retry_after(), again=not causes, causes=causes)
        case code if code >= 500:
            return Unavailable(message, answered=True, retry_after=answer.retry_after())
        case code:
            return Refused(message, status=code, named=bool(status.get("details")))


def _causes(details: object) -> tuple[str, ...]:
    causes = details.get("causes") if isinstance(details, dict) else None
    return tuple(str(c.get("message", ""))[:_LONGEST_MESSAGE] for c in causes if isinstance(c, dict)) if isinstance(causes, list) else ()
