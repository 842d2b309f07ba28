"""semverCompare: the constraint language of the library behind sprig."""

import itertools

import pytest

from sealcluster.render.gotemplate_semver import satisfies
from sealcluster.render.gotemplate_values import ValueProblem
from unit.render.gotemplate_go import ask


@pytest.mark.parametrize(
    ("constraint", "version", "expected"),
    [
        ("^1.27.0", "v1.27.0", True),
        ("^1.27.0", "v1.26.9", False),
        ("^1.27.0", "v2.0.0", False),
        ("~1.27.3", "v1.27.9", True),
        ("~1.27.3", "v1.28.0", False),
        ("1.27.x", "1.27.11", True),
        ("1.27.x", "1.28.0", False),
        (">= 1.24, < 1.29", "v1.28.4", True),
        (">=1.24 <1.29", "v1.29.0", False),
        ("<1.24 || >=1.29", "v1.30.1", True),
        ("1.24 - 1.26", "1.26.5", True),
        ("*", "v1.2.3", True),
        ("!=1.2.3", "1.2.3", False),
        (">=1.27.0", "v1.28.0-rc.1", False),
        (">=1.27.0-0", "v1.28.0-rc.1", True),
    ],
)
def test_constraints(constraint: str, version: str, expected: bool) -> None:
    assert satisfies(constraint, version) is expected


@pytest.mark.parametrize("constraint", ["", ">", "1.2.3.4.5 x", "1.2,,3", "latest", ">=1.2 1.3x", "1" * 300])
def test_nonsense_is_refused(constraint: str) -> None:
    with pytest.raises(ValueProblem):
        satisfies(constraint, "1.2.3")


def _ours(constraint: str, version: str) -> str:
    try:
        return "yes" if satisfies(constraint, version) else "no"
    except ValueProblem:
        return "error"


@pytest.mark.thorough
def test_agrees_with_the_library() -> None:
    operators = ["", "=", "!=", ">", "<", ">=", "=>", "<=", "=<", "~", "~>", "^"]
    bases = ["0", "0.0", "0.0.0", "0.0.3", "0.2", "0.2.3", "1", "1.2", "1.2.3", "1.x", "1.2.x", "*", "1.x.3", "v1.2.3-rc.1", "1.2-rc.1"]
    joined = [
        ">=1.2, <1.4",
        ">=1.2 <2 || 0.2.x",
        "1.2 - 1.4",
        ">1||<1",
        "",
        "1.2.3 ",
        " 1.2.3",
        "1.2.3+b",
        "01.2.3",
        "1.2.3-01",
        "1 2",
        "1|2",
        "a",
    ]
    versions = ["0.0.0", "0.0.3", "0.0.4", "0.2.3", "0.3.0", "v1.0.0", "1.2.2", "1.2.3", "1.2.3+meta", "1.2.4", "1.3.0", "2.0.0"]
    versions += ["1.2.3-rc.1", "1.2.3-rc.10", "1.2.3-rc.2", "1.2.3-alpha", "1.3.0-0", "1.2", "1", "x", "", "1.2.3.4", "01.2.3", "1.2.3-01"]
    constraints = [operator + space + base for operator, base, space in itertools.product(operators, bases, ("", " "))] + joined
    cases = list(itertools.product(constraints, versions))
    answers = ask("semver", [{"constraint": constraint, "version": version} for constraint, version in cases])
    wrong = [(case, _ours(*case), answer) for case, answer in zip(cases, answers, strict=True) if _ours(*case) != answer]
    assert not wrong, wrong[:20]
    assert {"yes", "no", "error"} == set(map(str, answers))
