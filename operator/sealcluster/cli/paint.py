"""Colours for a terminal. They only repeat what words and marks say already, so nothing is lost without them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.text import Text

GOOD, BAD, DOUBT, NOW, SOFT = "green", "red", "yellow", "cyan", "dim"

STATES = {
    "Ready": GOOD,
    "NotReady": DOUBT,
    "Degraded": DOUBT,
    "Unreachable": BAD,
    "Failed": BAD,
    "Excluded": BAD,
    "Stalled": BAD,
    "Pending": SOFT,
}
"""Words that say how a cluster or a host is; any other is work under way."""
MARKS = {"✓": GOOD, "!": BAD, "·": SOFT, "▸": NOW, "+": GOOD, "~": DOUBT}

_RULES = (
    re.compile(r"^(?P<bold>\S+)   (?P<state>[A-Z][A-Za-z]+)(?:   |$)"),  # the first line of a status
    re.compile(r"^[├└]─ \S+ +[\d.:a-fA-F]+ +[a-z,]+ +(?P<state>[A-Z][A-Za-z]+)(?: |$)"),  # a host in it
    re.compile(r"^[│ ]  [├└]─ (?P<mark>[!·▸]) "),  # a step of a host
    re.compile(r"^  (?P<mark>[✓!·+~]) "),  # a condition, a step of a plan, what is in its way
    re.compile(r"^(?P<bad>FAILED): (?P<bold>[^:\s]+:)?"),  # what failed in a preflight
    re.compile(r"^(?P<doubt>warning): (?P<bold>[^:\s]+:)?"),
    re.compile(r"^(?P<soft>[A-Z]+ +[A-Z]+ .*[A-Z])$"),  # the head of a table
    re.compile(r"^\S+ +\S+ +(?P<bad>FAILED)(?: |$)"),  # a row of a preflight
    re.compile(r"^\S+ +\S+ +(?P<doubt>warning)(?: |$)"),
    re.compile(r"^\S+ +\S+ +(?P<good>ok)(?: |$)"),
    re.compile(r"^(?P<bold>conditions|last failure|in the way)$"),
)
_STYLES = {"bad": BAD, "doubt": DOUBT, "good": GOOD, "soft": SOFT, "bold": "bold"}


def painted(lines: Iterable[str]) -> Text:
    """The lines, each with its end of line."""
    text = Text(end="")
    for line in lines:
        text.append_text(_line(line)).append("\n")
    return text


def _line(line: str) -> Text:
    text = Text(line)
    found = next((match for rule in _RULES if (match := rule.match(line))), None)
    for group, word in (found.groupdict() if found else {}).items():
        if found is None or word is None:
            continue
        style = STATES.get(word, NOW) if group == "state" else MARKS[word] if group == "mark" else _STYLES[group]
        # A step that waits is dim as a whole: what can be done now stands out.
        text.stylize(style, found.start(group), len(line) if word == "·" and "─" in line else found.end(group))
    return text
