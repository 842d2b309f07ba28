"""Removing known secrets from text that leaves: logs, errors, results of jobs."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator

MASK = "***"

MIN_LENGTH = 4
"""Shorter values are no secrets worth the name, and masking them would eat ordinary words."""

_PATTERNS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"(?<![a-z0-9])[a-z0-9]{6}\.[a-z0-9]{16}(?![a-z0-9])"),
    re.compile(r"(?i)(?<=authorization: )(?:basic|bearer) +\S+"),
)
"""What is a secret wherever it stands: private keys, bootstrap tokens, HTTP credentials."""
_BEHEADED_KEY = re.compile(r"\A(?:(?!-----BEGIN ).)*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)
_TORN_LETTER = re.compile(r"(?:\\x[89ab][0-9a-f]){0,3}")
"""What is left of a letter of several bytes, spelt out by `plain`."""


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

    def __call__(self, text: str, *, cut: bool = False, unfinished: bool = False) -> str:
        """The text without secrets. Where it was `cut` at its beginning or is `unfinished`, without pieces of secrets there too."""
        if cut:
            text = _BEHEADED_KEY.sub(MASK, self._without_rest(text))
        if unfinished:
            text = self._without_beginning(text)
        for value in self._values:
            text = text.replace(value, MASK)
        for pattern in _PATTERNS:
            text = pattern.sub(MASK, text)
        return text

    def _without_rest(self, text: str) -> str:
        """The end of a secret is masked where the text begins with it."""
        torn = _TORN_LETTER.match(text)
        start = torn.end() if torn else 0
        known = text[start : start + MIN_LENGTH]
        rests = (value[at:] for value in self._values for at in _places(known, value) if text.startswith(value[at:], start))
        longest = max(map(len, rests), default=0)
        return MASK + text[start + longest :] if longest else text

    def _without_beginning(self, text: str) -> str:
        """The beginning of a secret is masked where the text ends with it."""
        known = text[-MIN_LENGTH:]
        ends = (at + MIN_LENGTH for value in self._values for at in _places(known, value) if text.endswith(value[: at + MIN_LENGTH]))
        longest = max(ends, default=0)
        return text[:-longest] + MASK if longest else text


def _places(piece: str, value: str) -> Iterator[int]:
    """Where a piece that is long enough to tell anything lies in the value."""
    at = value.find(piece) if len(piece) == MIN_LENGTH else -1
    while at >= 0:
        yield at
        at = value.find(piece, at + 1)


def _forms(secret: str) -> set[str]:
    stripped = secret.strip()
    forms = {stripped, base64.b64encode(stripped.encode()).decode()}
    lines = [line.strip() for line in stripped.splitlines()]
    if len(lines) > 1:
        forms |= {line for line in lines if len(line) >= 16 and not line.startswith("-----")}
    return {form for form in forms if len(form) >= MIN_LENGTH}
