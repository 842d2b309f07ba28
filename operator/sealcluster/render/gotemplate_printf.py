"""Go's `printf` for the verbs that configuration files use: %s %v %d %q %x %X %t %%, with flags, width, precision.

Where Go would print a complaint such as `%!d(string=x)` into the file, this is an error instead.
"""

import re

from sealcluster.render.gotemplate_budget import Budget
from sealcluster.render.gotemplate_values import Value, ValueProblem, display, kind, quote

_DIRECTIVE = re.compile(r"%([-+0 ]*)([0-9]*)(?:\.([0-9]*))?(.?)", re.DOTALL)
_MAX_WIDTH = 1_024


def printf(budget: Budget, template: str, *values: Value) -> str:
    """Format the values."""
    out: list[str] = []
    waiting = list(reversed(values))
    end = 0
    for match in _DIRECTIVE.finditer(template):
        out.append(template[end : match.start()])
        end = match.end()
        if match[0] == "%%":
            out.append("%")
            continue
        if not waiting:
            raise ValueProblem(f"printf: no value for {match[0][:20]!a}")
        out.append(_format(match, waiting.pop()))
        budget.spend(len(out[-1]))
    if waiting:
        raise ValueProblem(f"printf: {len(waiting)} values too many")
    out.append(template[end:])
    budget.spend(len(template))
    return "".join(out)


def _format(match: re.Match[str], value: Value) -> str:
    flags, verb = match[1], match[4]
    width = _size(match[2])
    precision = None if match[3] is None else _size(match[3])
    body = _integer(flags, precision, verb, value) if _is_integer(value) else _other(precision, verb, value)
    if len(body) >= width:
        return body
    if "-" in flags:
        return body.ljust(width)
    if "0" in flags and precision is None:
        return body.zfill(width) if _is_integer(value) else body.rjust(width, "0")
    return body.rjust(width)


def _size(digits: str) -> int:
    if len(digits) > 4 or int(digits or 0) > _MAX_WIDTH:
        raise ValueProblem(f"printf: width or precision above {_MAX_WIDTH}")
    return int(digits or 0)


def _is_integer(value: Value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _integer(flags: str, precision: int | None, verb: str, value: Value) -> str:
    if not isinstance(value, int) or verb not in ("d", "v", "x", "X"):
        raise ValueProblem(f"printf: %{verb} of an int")
    digits = format(abs(value), "d" if verb == "v" else verb)
    digits = digits.rjust(precision or 0, "0") if precision or value else ("0" if precision is None else "")
    sign = "-" if value < 0 else "+" if "+" in flags else " " if " " in flags else ""
    return sign + digits


def _other(precision: int | None, verb: str, value: Value) -> str:
    if verb == "v":
        text = display(value)
        return text[:precision] if isinstance(value, str) else text
    if isinstance(value, bool) and verb == "t":
        return display(value)
    if isinstance(value, str) and verb in ("s", "q", "x", "X"):
        text = value[:precision]
        if verb == "q":
            return quote(text)
        encoded = text.encode().hex()
        return text if verb == "s" else encoded.upper() if verb == "X" else encoded
    raise ValueProblem(f"printf: %{verb} of a {kind(value)}")
