"""Pages say what the code has: every phase, every metric, and no link into nothing."""

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from labkit.docs import PAGES, place
from labkit.manifests import ROOT
from sealcluster.controller.durations import Ended, Outcome, PhaseDurations
from sealcluster.controller.metrics import Metrics
from sealcluster.phases import PHASES
from unit.controller.test_metrics import report

DOCS = ROOT / "docs"
METRICS = (DOCS / "metrics.md").read_text()
TRAFFIC = {"connections": 1, "commands": 2}
"""What `Supervisor.traffic` tells."""
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
STANDARD = ("process_", "python_")


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def listed() -> dict[str, tuple[str, set[str]]]:
    """Type and labels of every metric in the page's table."""
    rows = [cells(line) for line in METRICS.splitlines() if line.startswith("| `sealcluster_")]
    return {row[0].strip("`"): (row[1], set(re.findall(r"`(\w+)`", row[2]))) for row in rows if len(row) == 4}


def served() -> tuple[dict[str, tuple[str, set[str]]], dict[str, set[str]]]:
    """Type and labels of every metric of an operator that has something to tell, and the values of each label."""
    metrics: dict[str, tuple[str, set[str]]] = {}
    values: dict[str, set[str]] = {}
    durations = PhaseDurations()
    durations.add(Ended("teardown", outcome, 1.0) for outcome in Outcome)
    for family in text_string_to_metric_families(Metrics(lambda: [report()], lambda: TRAFFIC, durations.found).text().decode()):
        for sample in family.samples:
            if not sample.name.startswith(STANDARD):
                sample.labels.pop("le", None)  # of every histogram
                metrics[family.name if family.type == "histogram" else sample.name] = (family.type, set(sample.labels))
                for label, value in sample.labels.items():
                    values.setdefault(label, set()).add(value)
    return metrics, values


def test_the_table_of_metrics_is_the_code() -> None:
    assert listed() == served()[0]


def test_the_values_of_labels_are_listed() -> None:
    rows = {row[0]: row[1] for row in map(cells, METRICS.splitlines()) if len(row) == 2}
    assert set(re.findall(r"`(\w+)`:", rows["`state`"])) == served()[1]["state"]
    assert set(re.findall(r"`(\w+)`:", rows["`outcome`"])) == served()[1]["outcome"]
    assert set(served()[1]) == set(re.findall(r"`(\w+)`", " ".join(rows))) & {"namespace", "name", "state", "reason", "phase", "outcome"}


def test_expressions_name_metrics_that_exist() -> None:
    assert {re.sub("_bucket$", "", name) for name in re.findall(r"sealcluster_\w+", METRICS)} == set(listed())


@pytest.mark.parametrize("page", ["architecture.md", "pictures/pipeline.svg"])
def test_every_phase_is_shown(page: str) -> None:
    text = (DOCS / page).read_text()
    assert [phase.name for phase in PHASES if f"`{phase.name}`" not in text and f">{phase.name}<" not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_that_exist(page: Path) -> None:
    text = page.read_text()
    wrong = []
    for match in LINK.finditer(text):
        target = match[1]
        if "://" not in target and not (page.parent / target).exists():
            wrong.append(f"{place(page, text, match.start())}: {target}")
    assert wrong == []


def test_files_that_pages_name_exist() -> None:
    named = re.compile(r"`((?:examples|hack|crds|charts|operator|tests)/[\w./-]+)`")
    found = [(place(page, text, m.start()), m[1]) for page in PAGES for text in [page.read_text()] for m in named.finditer(text)]
    assert [(where, path) for where, path in found if not (ROOT / path).exists()] == []
    assert len(found) > 10
