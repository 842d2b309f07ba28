"""Whatever an image calls a template: the interpreter ends soon, with text or with a TemplateError, and agrees with Go."""

import time
from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sealcluster.render.gotemplate import TemplateError, render
from unit.render.gotemplate_go import ask
from unit.render.gotemplate_strategies import DATA, broken, templates


def _outcome(template: str, data: Mapping[str, object]) -> dict[str, str]:
    try:
        return {"out": render(template, data, name="t")}
    except TemplateError as error:
        return {"err": str(error)}


@given(st.one_of(templates(), broken(), st.text(max_size=60)), DATA)
@settings(max_examples=100, deadline=None)
def test_ends_with_text_or_template_error(template: str, data: dict[str, object]) -> None:
    started = time.monotonic()
    _outcome(template, data)
    assert time.monotonic() - started < 5


# Where Go has an answer and we refuse on purpose. Each phrase is one of our messages.
_REFUSED_ON_PURPOSE = (
    "printf:",  # Go prints a complaint such as %!d(string=x) into the file
    "calling index: len of",
    "is not supported",
    "unsupported",
    "a map's index must be a string",
)


def _agree(template: str, data: Mapping[str, object], ours: Mapping[str, str], go: Mapping[str, str]) -> bool:
    if "err" in ours and "out" in go:
        return any(phrase in ours["err"] for phrase in _REFUSED_ON_PURPOSE)
    return ours == go if "out" in ours else "err" in go


@pytest.mark.thorough
def test_agrees_with_go() -> None:
    cases: list[tuple[str, dict[str, object]]] = []

    @given(templates() | broken(), DATA)
    @settings(max_examples=200, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def collect(template: str, data: dict[str, object]) -> None:
        cases.append((template, data))

    collect()
    answers = ask("goref", [{"template": template, "data": data} for template, data in cases])
    rendered = 0
    for (template, data), go in zip(cases, answers, strict=True):
        ours = _outcome(template, data)
        assert isinstance(go, dict)
        rendered += "out" in ours
        assert _agree(template, data, ours, go), f"{template!r} with {data!r}: {ours} but Go says {go}"
    assert rendered > len(cases) // 10
