"""How Go sees the values of a template: truth, emptiness, comparison, printing.

`None` stands for a missing key as well as for nil: Go prints both as `<no value>`.
"""

from collections.abc import Mapping

Value = object  # str, int, bool, None, list or mapping of such; anything else is refused when met

NO_VALUE = "<no value>"


class ValueProblem(ValueError):
    """A value that an operation cannot take; the evaluator adds file and line."""


def kind(value: Value) -> str:
    """Return the word for a value's type as it stands in messages."""
    for kinds, word in (
        (type(None), "nil"),
        (bool, "bool"),
        (int, "int"),
        (str, "string"),
        (list | tuple, "list"),
        (Mapping, "map"),
    ):
        if isinstance(value, kinds):
            return word
    raise ValueProblem(f"unsupported type {type(value).__name__} in the data")


def truth(value: Value) -> bool:
    """Say whether `if` takes the value for true; also the opposite of sprig's `empty`."""
    kind(value)
    return bool(value)


def equal(left: Value, right: Value) -> bool:
    """Compare as Go's `eq`: different kinds cannot be compared, nil equals nothing but nil."""
    kinds = kind(left), kind(right)
    if kinds[0] != kinds[1]:
        if "nil" in kinds:
            return False
        raise ValueProblem(f"incompatible types for comparison: {kinds[0]} and {kinds[1]}")
    if kinds[0] in ("list", "map"):
        raise ValueProblem(f"a {kinds[0]} cannot be compared")
    return left == right


def less(left: Value, right: Value) -> bool:
    """Compare as Go's `lt`."""
    kinds = kind(left), kind(right)
    if kinds[0] != kinds[1]:
        raise ValueProblem(f"incompatible types for comparison: {kinds[0]} and {kinds[1]}")
    if isinstance(left, str) and isinstance(right, str):
        return left < right
    if kinds[0] == "int" and isinstance(left, int) and isinstance(right, int):
        return left < right
    raise ValueProblem(f"a {kinds[0]} has no order")


def display(value: Value, depth: int = 0) -> str:
    """Print as Go's `%v`; nil is `<nil>` here, also inside of lists and maps."""
    if depth > 8:
        raise ValueProblem("value nested deeper than 8 levels")
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list | tuple):
        return "[" + " ".join(display(item, depth + 1) for item in value) + "]"
    if isinstance(value, Mapping):
        items = sorted(value.items(), key=lambda item: str(item[0]))
        return "map[" + " ".join(f"{key}:{display(item, depth + 1)}" for key, item in items) + "]"
    raise ValueProblem(f"unsupported type {type(value).__name__} in the data")


def quote(text: str) -> str:
    """Quote as Go's `%q`."""
    return '"' + "".join(_quoted_char(char) for char in text) + '"'


_QUOTED = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
    '"': '\\"',
}


def _quoted_char(char: str) -> str:
    if char in _QUOTED:
        return _QUOTED[char]
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
