"""Every file and every test that the threat model names exists."""

import ast
import functools
import re

import pytest

from labkit.manifests import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text()
ROWS = [line for line in PAGE.splitlines() if line.startswith("|") and "::" in line]
NAMED = re.compile(r"`([A-Za-z0-9_./-]+\.(?:py|sh|yaml|md|toml|txt))(?:::(\w+))?`")


@functools.cache
def functions(path):
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_there_are_rows():
    assert len(ROWS) > 40


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:60])
def test_each_threat_has_a_control_and_a_test_that_exist(row):
    threat, control, test = (cell.strip() for cell in row.strip("|").split("|"))
    assert threat
    controls = [path for path, name in NAMED.findall(control) if not name]
    assert controls, control
    tests = [(path, name) for path, name in NAMED.findall(test) if name]
    assert tests, test
    assert all((ROOT / path).is_file() for path in controls), controls
    for path, name in tests:
        assert (ROOT / path).is_file(), path
        assert name in functions(ROOT / path), f"{path}::{name}"


def test_every_other_file_that_is_named_exists():
    assert all((ROOT / path).is_file() for path, _ in NAMED.findall(PAGE))
