"""The functions that templates may call: Go's own comparisons and the part of sprig that real images use.

Every function gets the budget first and pays for text before it makes it. None can reach files, the
network, the environment or the clock.
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sealcluster.render.gotemplate_budget import Budget
from sealcluster.render.gotemplate_printf import printf
from sealcluster.render.gotemplate_semver import satisfies
from sealcluster.render.gotemplate_values import Value, ValueProblem, display, equal, kind, less, quote, truth

# What Go's strings.TrimSpace removes.
_BLANK = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
_BLANK += "\u2028\u2029\u202f\u205f\u3000"
_MAX_PIECES = 10_000
_MAX_INDENT = 1_024


@dataclass(frozen=True, slots=True)
class Signature:
    """A function with the types of its arguments: "string", "int", "bool" or "any"; `rest` is the variadic one."""

    call: Callable[..., Value]
    takes: tuple[str, ...]
    rest: str = ""


def text_of(value: Value) -> str:
    """Return a value as the text functions see it; nil is `<nil>`, as in sprig."""
    return value if isinstance(value, str) else display(value)


def _default(_: Budget, fallback: Value, *given: Value) -> Value:
    return given[0] if given and truth(given[0]) else fallback


def _eq(budget: Budget, left: Value, *others: Value) -> bool:
    if not others:
        raise ValueProblem("missing argument for comparison")
    return any(equal(left, other) for other in others)


def _ne(_: Budget, left: Value, right: Value) -> bool:
    return not equal(left, right)


def _len(_: Budget, value: Value) -> int:
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, Sequence | Mapping):
        return len(value)
    raise ValueProblem(f"len of {kind(value)}")


def _index(_: Budget, value: Value, *keys: Value) -> Value:
    for key in keys:
        if isinstance(value, Mapping):
            if not isinstance(key, str):
                raise ValueProblem("a map's index must be a string")
            value = value.get(key)
        elif isinstance(value, list | tuple):
            if isinstance(key, bool) or not isinstance(key, int):
                raise ValueProblem("a list's index must be an int")
            if not 0 <= key < len(value):
                raise ValueProblem("index out of range")
            value = value[key]
        else:
            raise ValueProblem(f"can't index item of type {kind(value)}")
    return value


def _replace(budget: Budget, old: str, new: str, text: str) -> str:
    count = text.count(old)
    budget.spend(max(0, count * (len(new) - len(old))) + len(text))
    return text.replace(old, new)


def _indent(budget: Budget, spaces: int, text: str) -> str:
    if not 0 <= spaces <= _MAX_INDENT:
        raise ValueProblem(f"indent must be between 0 and {_MAX_INDENT}")
    budget.spend(len(text) + spaces * (text.count("\n") + 1))
    pad = " " * spaces
    return pad + text.replace("\n", "\n" + pad)


def _nindent(budget: Budget, spaces: int, text: str) -> str:
    return "\n" + _indent(budget, spaces, text)


def _quotes(budget: Budget, values: Sequence[Value], mark: Callable[[str], str]) -> str:
    out: list[str] = []
    for value in values:
        if value is not None:
            text = text_of(value)
            budget.spend(len(text) + 3)
            out.append(mark(text))
            budget.spend(len(out[-1]) - len(text))
    return " ".join(out)


def _quote(budget: Budget, *values: Value) -> str:
    return _quotes(budget, values, quote)


def _squote(budget: Budget, *values: Value) -> str:
    return _quotes(budget, values, lambda text: f"'{text}'")


def _int(_: Budget, value: Value) -> int:
    if isinstance(value, int):
        return int(value)
    return _parse(value) if isinstance(value, str) else 0


def _parse(text: str) -> int:
    """Read a decimal or 0x number; 0 when it is none, as sprig does."""
    digits = text.lstrip("+-") if text[:1] in ("+", "-") else text
    if len(digits) > 20 or not digits.isascii() or not digits.isalnum():
        return 0
    try:
        value = int(digits, 16) if digits[:2] in ("0x", "0X") else int(digits)
    except ValueError:
        return 0
    value = -value if text[:1] == "-" else value
    return value if -(2**63) <= value < 2**63 else 0


def _atoi(_: Budget, text: str) -> int:
    return _parse(text) if text.lstrip("+-").isdigit() else 0


def _split_list(budget: Budget, separator: str, text: str) -> list[str]:
    pieces = list(text) if not separator else text.split(separator, _MAX_PIECES)
    if len(pieces) > _MAX_PIECES:
        raise ValueProblem(f"split into more than {_MAX_PIECES} pieces")
    budget.spend(len(text) + 16 * len(pieces))
    return pieces


def _split(budget: Budget, separator: str, text: str) -> dict[str, str]:
    return {f"_{index}": piece for index, piece in enumerate(_split_list(budget, separator, text))}


def _join(budget: Budget, separator: str, values: Value) -> str:
    items = values if isinstance(values, list | tuple) else [values]
    texts = [text_of(item) for item in items if item is not None]
    budget.spend(sum(len(text) + len(separator) for text in texts))
    return separator.join(texts)


def _coalesce(_: Budget, *values: Value) -> Value:
    return next((value for value in values if truth(value)), None)


def _b64dec(_: Budget, text: str) -> str:
    try:
        return base64.b64decode(text.replace("\r", "").replace("\n", ""), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise ValueProblem("not base64 of text") from None


def _by_char(text: str, change: Callable[[str], str]) -> str:
    # Go maps one character to one character; Python's "ß".upper() is two.
    return "".join(changed if len(changed := change(char)) == 1 else char for char in text)


def _ordered(compare: Callable[[Value, Value], bool]) -> Callable[..., Value]:
    return lambda _, left, right: compare(left, right)


def _semver_compare(_: Budget, constraint: str, version: str) -> bool:
    return satisfies(constraint, version)


_TEXT = ("string",)
_TWO = ("string", "string")

# `and` and `or` stand here for their names and argument counts only: the evaluator stops at the first that decides.
FUNCTIONS: Mapping[str, Signature] = {
    "and": Signature(lambda _, *values: values[-1], ("any",), "any"),
    "or": Signature(lambda _, *values: values[-1], ("any",), "any"),
    "not": Signature(lambda _, value: not truth(value), ("any",)),
    "eq": Signature(_eq, ("any",), "any"),
    "ne": Signature(_ne, ("any", "any")),
    "lt": Signature(_ordered(less), ("any", "any")),
    "le": Signature(_ordered(lambda left, right: not less(right, left)), ("any", "any")),
    "gt": Signature(_ordered(lambda left, right: less(right, left)), ("any", "any")),
    "ge": Signature(_ordered(lambda left, right: not less(left, right)), ("any", "any")),
    "len": Signature(_len, ("any",)),
    "index": Signature(_index, ("any",), "any"),
    "printf": Signature(printf, _TEXT, "any"),
    "default": Signature(_default, ("any",), "any"),
    "empty": Signature(lambda _, value: not truth(value), ("any",)),
    "coalesce": Signature(_coalesce, (), "any"),
    "ternary": Signature(lambda _, yes, no, choice: yes if choice else no, ("any", "any", "bool")),
    "contains": Signature(lambda _, part, text: part in text, _TWO),
    "hasPrefix": Signature(lambda _, part, text: text.startswith(part), _TWO),
    "hasSuffix": Signature(lambda _, part, text: text.endswith(part), _TWO),
    "semverCompare": Signature(_semver_compare, _TWO),
    "trim": Signature(lambda _, text: text.strip(_BLANK), _TEXT),
    "trimPrefix": Signature(lambda _, part, text: text.removeprefix(part), _TWO),
    "trimSuffix": Signature(lambda _, part, text: text.removesuffix(part), _TWO),
    "upper": Signature(lambda _, text: _by_char(text, str.upper), _TEXT),
    "lower": Signature(lambda _, text: _by_char(text, str.lower), _TEXT),
    "replace": Signature(_replace, ("string", "string", "string")),
    "quote": Signature(_quote, (), "any"),
    "squote": Signature(_squote, (), "any"),
    "indent": Signature(_indent, ("int", "string")),
    "nindent": Signature(_nindent, ("int", "string")),
    "toString": Signature(lambda _, value: text_of(value), ("any",)),
    "int": Signature(_int, ("any",)),
    "atoi": Signature(_atoi, _TEXT),
    "split": Signature(_split, _TWO),
    "splitList": Signature(_split_list, _TWO),
    "join": Signature(_join, ("string", "any")),
    "b64enc": Signature(lambda _, text: base64.b64encode(text.encode()).decode(), _TEXT),
    "b64dec": Signature(_b64dec, _TEXT),
}
