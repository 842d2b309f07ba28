"""Parses WWW-Authenticate headers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PARAMETER = re.compile(rf'\s*,?\s*({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN}))')
_SCHEME = re.compile(rf"\s*,?\s*({_TOKEN})(?=\s|,|$)")
_MAX_HEADER = 4_096


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way in: `bearer` or `basic`, with its parameters."""

    scheme: str
    parameters: dict[str, str]


def parse_challenges(headers: Iterable[str]) -> list[Challenge]:
    """Return every challenge; what cannot be read is left out."""
    challenges: list[Challenge] = []
    for header in headers:
        at = 0
        while len(header) <= _MAX_HEADER and at < len(header):
            if (parameter := _PARAMETER.match(header, at)) and challenges:
                value = parameter[3] if parameter[2] is None else re.sub(r"\\(.)", r"\1", parameter[2])
                challenges[-1].parameters[parameter[1].lower()] = value
                at = parameter.end()
            elif scheme := _SCHEME.match(header, at):
                challenges.append(Challenge(scheme[1].lower(), {}))
                at = scheme.end()
            else:
                break
    return challenges
