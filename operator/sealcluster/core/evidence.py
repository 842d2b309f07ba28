"""What is kept of failed steps: enough to understand them later, bounded, without secrets. One entry per host and step, the newest try."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields

MAX_ENTRIES = 20
MAX_OUTPUT = 16_000
"""Characters of a step's output; the last ones count."""
MAX_UNIT_LOG = 8_000


@dataclass(frozen=True, slots=True)
class Evidence:
    """One step that failed."""

    phase: str
    step: str
    reason: str
    message: str
    time: float
    """Seconds since the epoch, of the newest try."""
    host: str = ""
    """Empty: it concerns the cluster."""
    hint: str = ""
    count: int = 1
    """Tries in a row that failed."""
    exit_code: int | None = None
    output: str = ""
    """Last lines that the step printed."""
    unit: str = ""
    """Unit whose log may tell more; empty: none."""
    unit_log: str = ""
    """Its last lines at that moment."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is about."""
        return self.host, self.phase, self.step


def remember(known: Iterable[Evidence], new: Evidence) -> tuple[Evidence, ...]:
    """With the new entry, oldest first, in place of the one about the same step; the oldest go when there are too many."""
    cut = Evidence(**{**asdict(new), "output": _tail(new.output, MAX_OUTPUT), "unit_log": _tail(new.unit_log, MAX_UNIT_LOG)})
    return (*(e for e in known if e.key != new.key), cut)[-MAX_ENTRIES:]


def dumps(entries: Iterable[Evidence]) -> str:
    """JSON."""
    return json.dumps({"entries": [asdict(e) for e in entries]}, indent=1, ensure_ascii=False)


def loads(text: str) -> tuple[Evidence, ...]:
    """What `dumps` of any release wrote. ValueError when it is something else."""
    known = {item.name for item in fields(Evidence)}
    try:
        return tuple(Evidence(**{k: v for k, v in row.items() if k in known}) for row in json.loads(text)["entries"])
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"reading evidence: {error}") from error


def _tail(text: str, limit: int) -> str:
    return text if len(text) <= limit else "[…]\n" + text[-limit:].partition("\n")[2]
