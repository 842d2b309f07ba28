"""What outsiders may send: any bytes, any JSON, and well-formed things with one part replaced."""

import json
import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

FUZZ = int(os.environ.get("FUZZ", "0"))
"""Examples per property, other ones on every run (`make fuzz`); 0: few, and the same ones on every run: a failure is one for everybody."""

quick = settings(max_examples=FUZZ or 60, deadline=None, derandomize=not FUZZ, database=None, suppress_health_check=list(HealthCheck))

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["\ud800", "²", "9" * 5000, "a\nb", "\x1b[2J", "../../etc", "$(id)", "{{ . }}"])
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=8
)
junk = st.binary(max_size=300)
few = settings(quick, max_examples=FUZZ or 20)
"""For what takes milliseconds each."""

deep = st.integers(1, 4).map(lambda n: ("[" * 10**n, '{"a":' * 10**n)[n % 2])
"""JSON that nests deeper than any parser likes."""


def _places(value, path=()):
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _places(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _places(inner, (*path, number))


def _replaced(value, path, new):
    if not path:
        return new
    head, *rest = path
    if isinstance(value, dict):
        return {k: _replaced(v, rest, new) if k == head else v for k, v in value.items()}
    return [_replaced(v, rest, new) if n == head else v for n, v in enumerate(value)]


def _removed(value, path):
    if not path:
        return None
    head, *rest = path
    if isinstance(value, dict):
        return {k: (v if k != head else _removed(v, rest)) for k, v in value.items() if rest or k != head}
    return [(v if n != head else _removed(v, rest)) for n, v in enumerate(value) if rest or n != head]


def mutated(value):
    """This value with one part replaced by anything, or taken out."""
    places = st.sampled_from(list(_places(value)))
    return st.builds(lambda path, new: _replaced(value, path, new), places, anything) | places.map(lambda path: _removed(value, path))


def as_json(value):
    """Bytes as they come over the wire; NaN and lone surrogates included, as careless senders write them."""
    return json.dumps(value).encode()
