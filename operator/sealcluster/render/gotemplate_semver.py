"""Version constraints as Go's most used semver library understands them: `^1.27.0`, `>= 1.24, < 1.29`, `1.x || 2`."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from sealcluster.render.gotemplate_values import ValueProblem

MAX_LENGTH = 256
_OPERATOR = re.compile(r"=>|=<|>=|<=|!=|~>|=|>|<|~|\^|")
_IDENTIFIERS = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_PARTIAL = rf"v?([0-9]+|[xX*])(?:\.([0-9]+|[xX*]))?(?:\.([0-9]+|[xX*]))?(?:-({_IDENTIFIERS}))?(?:\+{_IDENTIFIERS})?"
_PARTIAL_RE = re.compile(_PARTIAL)
_VERSION = re.compile(rf"v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(?:-({_IDENTIFIERS}))?(?:\+{_IDENTIFIERS})?")
_SPACES = " \t\n\f\r"


@dataclass(frozen=True, slots=True)
class Version:
    """A version; build metadata never count."""

    numbers: tuple[int, int, int]
    pre: str = ""

    def compare(self, other: "Version") -> int:
        """Return -1, 0 or 1 as this version is lower, equal or higher."""
        if self.numbers != other.numbers:
            return -1 if self.numbers < other.numbers else 1
        if self.pre == other.pre:
            return 0
        if not self.pre or not other.pre:
            return -1 if self.pre else 1
        return _compare_pre(self.pre, other.pre)


def _compare_pre(left: str, right: str) -> int:
    parts = [_pre_key(text) for text in left.split(".")], [_pre_key(text) for text in right.split(".")]
    return (parts[0] > parts[1]) - (parts[0] < parts[1])


def _pre_key(part: str) -> tuple[int, int, str]:
    # A number too big for 64 bits is a word to the library.
    return (0, int(part), "") if part.isdigit() and int(part) < 2**64 else (1, 0, part)


@dataclass(frozen=True, slots=True)
class _Condition:
    operator: str
    version: Version
    wild: str
    """Which part is a wildcard or missing: "", "major", "minor", "patch"."""


def satisfies(constraint: str, version: str) -> bool:
    """Say whether the version fulfils the constraint; text that is neither is a ValueProblem."""
    if max(len(constraint), len(version)) > MAX_LENGTH:
        raise ValueProblem("version or constraint too long")
    parsed = _parse_version(version)
    alternatives = [_conditions(part) for part in _rewrite_ranges(constraint).split("||")]
    return any(_all(conditions, parsed) for conditions in alternatives)


def _all(conditions: list[_Condition], version: Version) -> bool:
    if version.pre and not any(condition.version.pre for condition in conditions):
        return False  # a pre-release only counts where the constraint names one
    return all(_CHECKS[condition.operator](version, condition) for condition in conditions)


def _parse_version(text: str) -> Version:
    match = _VERSION.fullmatch(text)
    if match is None:
        raise ValueProblem("not a semantic version")
    return _version([match[1], match[2] or "0", match[3] or "0"], match[4] or "")


def _version(numbers: list[str], pre: str) -> Version:
    for part in pre.split("."):
        if part.isdigit() and len(part) > 1 and part[0] == "0":
            raise ValueProblem("a number in a pre-release starts with 0")
    values = [int(number) for number in numbers]
    if max(values) >= 2**64:
        raise ValueProblem("a version number overflows 64 bits")
    return Version((values[0], values[1], values[2]), pre)


_RANGE = re.compile(rf"({_PARTIAL})[ \t]+-[ \t]+({_PARTIAL})")


def _rewrite_ranges(text: str) -> str:
    """Turn `1.2 - 1.5` into `>= 1.2, <= 1.5`."""
    return _RANGE.sub(lambda match: f">= {match[1]}, <= {match[6]} ", text)


def _conditions(text: str) -> list[_Condition]:
    conditions: list[_Condition] = []
    at = _skip(text, 0)
    while True:
        operator = _OPERATOR.match(text, at)
        if operator is None:
            raise ValueProblem("improper version constraint")
        match = _PARTIAL_RE.match(text, _skip(text, operator.end()))
        if match is None:
            raise ValueProblem("improper version constraint")
        conditions.append(_condition(operator.group(), match))
        at = _skip(text, match.end())
        separated = at > match.end()
        if at == len(text):
            return conditions
        if text[at] == ",":
            at, separated = _skip(text, at + 1), True
        if not separated:
            raise ValueProblem("improper version constraint")


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACES:
        at += 1
    return at


def _condition(operator: str, match: re.Match[str]) -> _Condition:
    pre = match[4] or ""
    parts = [match[1], match[2], match[3]]
    for index, wild in enumerate(("major", "minor", "patch")):
        if parts[index] in (None, "x", "X", "*"):
            numbers = [*parts[:index], *["0"] * (3 - index)]
            return _Condition(operator, _version(numbers, pre), wild)
    return _Condition(operator, _version(parts, pre), "")


def _tilde(version: Version, condition: _Condition) -> bool:
    wanted = condition.version
    if version.compare(wanted) < 0:
        return False
    if wanted.numbers == (0, 0, 0) and condition.wild not in ("minor", "patch"):
        return True
    if version.numbers[0] != wanted.numbers[0]:
        return False
    return version.numbers[1] == wanted.numbers[1] or condition.wild == "minor"


def _equal(version: Version, condition: _Condition) -> bool:
    return _tilde(version, condition) if condition.wild else version.compare(condition.version) == 0


def _not_equal(version: Version, condition: _Condition) -> bool:
    wanted = condition.version
    if not condition.wild:
        return version.compare(wanted) != 0
    if version.numbers[0] != wanted.numbers[0]:
        return True
    if condition.wild == "minor":
        return False
    if version.numbers[1] != wanted.numbers[1]:
        return True
    if condition.wild == "patch":
        return version.pre != wanted.pre
    return version.compare(wanted) != 0


def _greater(version: Version, condition: _Condition) -> bool:
    wanted = condition.version
    if condition.wild and version.numbers[0] != wanted.numbers[0]:
        return version.numbers[0] > wanted.numbers[0]
    if condition.wild == "minor":
        return False
    if condition.wild == "patch":
        return version.numbers[1] > wanted.numbers[1]
    return version.compare(wanted) > 0


def _less(version: Version, condition: _Condition) -> bool:
    return version.compare(condition.version) < 0


def _at_least(version: Version, condition: _Condition) -> bool:
    return version.compare(condition.version) >= 0


def _at_most(version: Version, condition: _Condition) -> bool:
    wanted = condition.version
    if not condition.wild:
        return version.compare(wanted) <= 0
    if version.numbers[0] != wanted.numbers[0]:
        return version.numbers[0] < wanted.numbers[0]
    return condition.wild == "minor" or version.numbers[1] <= wanted.numbers[1]


def _caret(version: Version, condition: _Condition) -> bool:
    wanted = condition.version
    if version.compare(wanted) < 0:
        return False
    (major, minor, patch), (v_major, v_minor, v_patch) = wanted.numbers, version.numbers
    if major > 0 or condition.wild == "minor":
        return v_major == major
    if v_major > 0:
        return False
    if minor > 0 or condition.wild == "patch":
        return v_minor == minor
    return v_minor == 0 and v_patch == patch


_CHECKS: dict[str, Callable[[Version, _Condition], bool]] = {
    "": _equal,
    "=": _equal,
    "!=": _not_equal,
    ">": _greater,
    "<": _less,
    ">=": _at_least,
    "=>": _at_least,
    "<=": _at_most,
    "=<": _at_most,
    "~": _tilde,
    "~>": _tilde,
    "^": _caret,
}
