"""An exception to a rule carries its reason, where it stands: for bandit, for the linters, for the audit of dependencies."""

import re
import tomllib
from datetime import date
from pathlib import Path

import pytest
from audit import Exemption, exemptions, judge

from labkit.manifests import ROOT

MARKS = re.compile(r"#\s*(?:nosec(?P<nosec>.*)|noqa:?(?P<noqa>[^#]*)|type: ignore(?P<type>.*))")
SOURCES = [*sorted((ROOT / "operator").rglob("*.py")), *sorted((ROOT / "hack").rglob("*.py"))]


def reason_of(line):
    """What stands after the mark and its codes; None where the line makes no exception."""
    mark = MARKS.search(line)
    if mark is None:
        return None
    said = next(part for part in mark.groups() if part is not None)
    said = re.sub(r"^\s*(?:\[[\w, -]+\]|(?:[A-Z]+\d+[,\s]*)+)", "", said)
    return said.strip(" -#()\t")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("x = 1  # nosec B104", ""),
        ("x = 1  # nosec", ""),
        ("x = 1  # nosec B104  # only in the pod", "only in the pod"),
        ("x = 1  # noqa: PLR0912 - one line per verb", "one line per verb"),
        ("x = 1  # type: ignore[attr-defined]  # inspect looks for it", "inspect looks for it"),
        ("x = 1  # type: ignore[attr-defined]", ""),
        ("x = 1  # a comment", None),
    ],
)
def test_reasons_are_recognised(line, reason):
    assert reason_of(line) == reason


def test_every_exception_in_the_code_carries_its_reason():
    bare = []
    for path in SOURCES:
        product = path.is_relative_to(ROOT / "operator")
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if not product and "type: ignore" in line:
                continue  # types are checked in the package only
            reason = reason_of(line)
            if reason is not None and len(reason.split()) < (2 if product else 1):
                bare.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert bare == []


def test_every_check_that_bandit_skips_is_explained():
    text = (ROOT / "pyproject.toml").read_text()
    settings = tomllib.loads(text)["tool"]["bandit"]
    for what in (*settings["skips"], *settings["exclude_dirs"]):
        (line,) = [row for row in text.splitlines() if f'"{what}"' in row]
        assert len(line.partition("#")[2].split()) >= 3, line


# --- the audit -----------------------------------------------------------------------------------------------------------------
REPORT = {
    "dependencies": [
        {"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["2"]}]},
        {"name": "b", "version": "1", "vulns": []},
        {"name": "c", "skip_reason": "not found"},
    ]
}


def test_the_audit_tells_what_is_new_what_was_not_asked_and_what_is_no_longer_needed():
    bad, skipped, unused = judge(REPORT, {"CVE-9": Exemption("CVE-9", "a", "never called by us here", date(2099, 1, 1))})
    assert bad == ["a 1: PYSEC-1, fixed in 2"]
    assert skipped == ["c: not found"]
    assert unused == ["CVE-9"]


def test_an_exemption_is_for_one_package():
    assert judge(REPORT, {"CVE-1": Exemption("CVE-1", "a", "never called by us here", date(2099, 1, 1))})[0] == []
    assert judge(REPORT, {"CVE-1": Exemption("CVE-1", "b", "never called by us here", date(2099, 1, 1))})[0] != []


def test_the_exemptions_that_we_have_carry_reasons(tmp_path: Path):
    exemptions()
    bare = tmp_path / "audit.toml"
    bare.write_text('[[ignore]]\nid = "CVE-1"\npackage = "a"\nreason = "no"\nuntil = 2099-01-01\n')
    with pytest.raises(ValueError, match="needs a reason"):
        exemptions(bare)
    bare.write_text('[[ignore]]\nid = "CVE-1"\npackage = "a"\nreason = "never called by us here"\n')
    with pytest.raises(ValueError, match="needs a date `until`"):
        exemptions(bare)
