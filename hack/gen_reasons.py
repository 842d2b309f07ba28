"""Writes docs/reasons.md from the catalogue of reasons; `--check` fails when the file is not what would be written."""

import sys
from pathlib import Path

from sealcluster.api.catalogue import CATALOGUE, Nature
from sealcluster.api.conditions import Reason

TARGET = Path(__file__).resolve().parent.parent / "docs" / "reasons.md"
NATURES = {
    Nature.NORMAL: "nothing is wrong",
    Nature.TRANSIENT: "tried again by itself",
    Nature.TERMINAL: "waits for a person",
    Nature.DEGRADED: "applied, yet unhealthy now",
}


def text() -> str:
    """The whole page."""
    lines = [
        "# Reasons",
        "",
        "Every condition, event and failure carries one of these words. They are stable: tools may match on them.",
        "Generated from `operator/sealcluster/api/catalogue.py`; do not edit by hand (`make docs`).",
        "",
    ]
    for reason in Reason:
        entry = CATALOGUE[reason]
        lines += [
            f"## {reason.value}",
            "",
            f"Condition `{entry.condition.value}`, {entry.scope.value}; {NATURES[entry.nature]}.",
            "",
            entry.cause,
            "",
        ]
        if entry.cure:
            lines += [f"**What to do:** {entry.cure}", ""]
    return "\n".join(lines).rstrip() + "\n"


def main() -> int:
    """Write, or compare."""
    if "--check" not in sys.argv[1:]:
        TARGET.parent.mkdir(exist_ok=True)
        TARGET.write_text(text())
        return 0
    if TARGET.exists() and TARGET.read_text() == text():
        return 0
    print(f"{TARGET.name} is not what the catalogue says: run make docs", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
