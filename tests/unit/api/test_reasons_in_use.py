"""The list of reasons is closed: no other word is raised, and so none is lost on its way into status."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from labkit.manifests import ROOT
from sealcluster.api import Reason

PACKAGE = ROOT / "operator" / "sealcluster"
KNOWN = {reason.value for reason in Reason}
NAMES = {"reason", "default_reason"}


def words(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Literals that are given as a reason, by keyword or as the default of an exception class."""
    for node in ast.walk(tree):
        if (isinstance(node, ast.keyword) and node.arg in NAMES) or (
            isinstance(node, ast.Assign) and any(isinstance(target, ast.Name) and target.id in NAMES for target in node.targets)
        ):
            yield from literals(node.value)


def literals(value: ast.expr) -> Iterator[tuple[int, str]]:
    match value:
        case ast.Constant(value=str(text)) if text:
            yield value.lineno, text
        case ast.IfExp(body=body, orelse=orelse):
            yield from literals(body)
            yield from literals(orelse)
        case ast.BoolOp(values=values):
            for part in values:
                yield from literals(part)


def test_every_reason_in_the_package_is_in_the_list() -> None:
    strangers = [
        f"{path.relative_to(ROOT)}:{line}: {word}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for line, word in words(ast.parse(path.read_text()))
        if word not in KNOWN
    ]
    assert not strangers


@pytest.mark.parametrize(
    "source",
    [
        'raise E("x", reason="Nonsense")',
        'f(reason="Nonsense" if a else "ClockSkew")',
        'class E:\n    default_reason = "Nonsense"',
        'f(reason=a or "Nonsense")',
    ],
)
def test_a_stranger_is_found(source: str) -> None:
    assert "Nonsense" in [word for _, word in words(ast.parse(source))]


def test_the_package_is_where_it_is_looked_for() -> None:
    assert isinstance(PACKAGE, Path) and (PACKAGE / "api" / "conditions.py").exists()
