"""Hypothesis strategies: templates that are nearly right, and data for them."""
# ruff: noqa: UP031 - in a format string the braces of templates would all be doubled

from hypothesis import strategies as st

_KEYS = ["A", "B", "EMPTY", "LIST", "MAP", "N", "NOPE"]
_WORDS = ["", "a", "master", "v1.34.4", "x,y", "two\nlines", 'q"uote', "é", " pad "]

DATA = st.fixed_dictionaries(
    {
        "A": st.sampled_from(_WORDS),
        "B": st.sampled_from(_WORDS),
        "EMPTY": st.just(""),
        "LIST": st.lists(st.sampled_from(_WORDS) | st.integers(-3, 3), max_size=3),
        "MAP": st.dictionaries(st.sampled_from(["k", "A", "z"]), st.sampled_from(_WORDS), max_size=3),
        "N": st.integers(-5, 5),
    }
)

_ONE = ["not", "len", "empty", "trim", "upper", "lower", "quote", "squote", "toString", "int", "atoi", "b64enc", "coalesce"]
_TWO = ["eq", "ne", "lt", "le", "gt", "ge", "and", "or", "default", "contains", "hasPrefix", "hasSuffix", "trimPrefix"]
_TWO += ["trimSuffix", "index", "splitList", "split", "join", "quote", "indent", "nindent", "printf"]
_THREE = ["replace", "ternary", "and", "or", "eq", "coalesce", "printf"]


def _literals() -> st.SearchStrategy[str]:
    strings = st.sampled_from(['"a"', '""', '"k"', "`raw`", '","', '"%s"', '"%v|%v"', '"%5d"', '"x y"', '"\\n"'])
    return strings | st.sampled_from(["0", "1", "-2", "0x1f", "true", "false", "nil"])


def _operands() -> st.SearchStrategy[str]:
    fields = st.sampled_from([f".{key}" for key in _KEYS] + [".MAP.k", ".NOPE.x", "$.A", ".", "$x", "$", ".A.b"])
    return _literals() | fields


def _pipelines() -> st.SearchStrategy[str]:
    def extend(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        argument = _operands() | inner.map("({})".format)
        call = st.one_of(
            st.tuples(st.sampled_from(_ONE), argument),
            st.tuples(st.sampled_from(_TWO), argument, argument),
            st.tuples(st.sampled_from(_THREE), argument, argument, argument),
        ).map(" ".join)
        return call | st.tuples(inner, st.sampled_from([*_ONE, 'default "d"', "printf `%v`", "eq 1"])).map(" | ".join)

    return st.recursive(_operands(), extend, max_leaves=6)


def _blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pipe = _pipelines()
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(pipe, inner).map(lambda p: "{{ if %s }}%s{{ end }}" % p),
        st.tuples(pipe, inner, pipe, inner, inner).map(lambda p: "{{- if %s }}%s{{ else if %s }}%s{{ else }}%s{{ end -}}" % p),
        st.tuples(pipe, inner, inner).map(lambda p: "{{ with %s -}} %s{{ else }}%s{{ end }}" % p),
        st.tuples(pipe, inner, inner).map(lambda p: "{{ with $x := %s }}%s{{ else }}%s{{ end }}" % p),
        st.tuples(st.sampled_from([".LIST", ".MAP", ".NOPE"]), inner).map(lambda p: "{{ range %s }} %s{{ end }}" % p),
        st.tuples(st.sampled_from([".LIST", ".MAP"]), inner).map(
            lambda p: "{{ range $i, $x := %s }}%s{{ $i }}{{ if eq $i 1 }}{{ break }}{{ end }}{{ else }}none{{ end }}" % p
        ),
    )


def templates() -> st.SearchStrategy[str]:
    """Templates that often render and sometimes do not."""
    pieces = st.one_of(
        st.sampled_from(["text", " \n ", "", "a} {b", "{{/* c */}}", "{{- /* c\n */ -}}"]),
        _pipelines().map("{{{{ {} }}}}".format),
        _pipelines().map("{{{{- {} -}}}}".format),
        _pipelines().map("{{{{ $x := {} }}}}{{{{ $x }}}}".format),
    )
    return st.recursive(pieces, _blocks, max_leaves=6).map(lambda body: '{{ $x := "v" }}' + body)


@st.composite
def broken(draw: st.DrawFn) -> str:
    """Templates with something cut out, doubled or put in."""
    text = draw(templates())
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        to = draw(st.integers(at, min(len(text), at + 6)))
        junk = draw(
            st.sampled_from(["", "{{", "}}", "(", ")", "|", '"', "`", ".", "$", "{{ end }}", "-", " ", ":=", "/*"]) | st.text(max_size=3)
        )
        text = text[:at] + junk + text[to:]
    return text
