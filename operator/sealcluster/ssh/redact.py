"""Removing known secrets from text that leaves: logs, errors, results of jobs."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable

MASK = "***"

MIN_LENGTH = 4
"""Shorter values are no secrets worth the name, and masking them would eat ordinary words."""

_PATTERNS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"(?<![a-z0-9])[a-z0-9]{6}\.[a-z0-9]{16}(?![a-z0-9])"),
    re.compile(r"(?i)(?<=authorization: )(?:basic|bearer) +\S+"),
)
"""What is a secret wherever it stands: private keys, bootstrap tokens, HTTP credentials."""


class Redactor:
    """Masks the given secrets, in plain form, as base64, and line by line where they have several lines."""

    def __init__(self, secrets: Iterable[str | None] = ()) -> None:
        values: set[str] = set()
        for secret in secrets:
            if secret:
                values |= _forms(secret)
        self._values = sorted(values, key=len, reverse=True)

    def __repr__(self) -> str:
        return f"Redactor({len(self._values)} values)"

    def plus(self, secrets: Iterable[str | None]) -> Redactor:
        """A redactor that knows these secrets too."""
        more = Redactor(secrets)
        more._values = sorted({*self._values, *more._values}, key=len, reverse=True)
        return more

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        for value in self._values:
            text = text.replace(value, MASK)
        for pattern in _PATTERNS:
            text = pattern.sub(MASK, text)
        return text


def _forms(secret: str) -> set[str]:
    stripped = secret.strip()
    forms = {stripped, base64.b64encode(stripped.encode()).decode()}
    lines = [line.strip() for line in stripped.splitlines()]
    if len(lines) > 1:
        forms |= {line for line in lines if len(line) >= 16 and not line.startswith("-----")}
    return {form for form in forms if len(form) >= MIN_LENGTH}
