"""How the server says no."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """An answer that is not 2xx, as a `Status` object. `causes`: (field, message) pairs, as validation gives them."""

    def __init__(
        self, code: int, reason: str, message: str, causes: tuple[tuple[str, str], ...] = (), retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.causes = causes
        self.retry_after = retry_after

    def status(self) -> dict[str, Any]:
        """The body of the answer."""
        status: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        }
        if self.causes:
            status["details"] = {"causes": [{"reason": "FieldValueInvalid", "field": f, "message": m} for f, m in self.causes]}
        return status


def not_found(what: str) -> Refusal:
    """404."""
    return Refusal(404, "NotFound", f"{what} not found")


def conflict(what: str) -> Refusal:
    """409: an older version was written to."""
    return Refusal(
        409,
        "Conflict",
        f"Operation cannot be fulfilled on {what}: the object has been modified; please apply your changes to the latest version",
    )


def invalid(what: str, causes: tuple[tuple[str, str], ...]) -> Refusal:
    """422 with the fields at fault."""
    return Refusal(422, "Invalid", f"{what} is invalid: " + ", ".join(f"{f}: {m}" for f, m in causes), causes)
