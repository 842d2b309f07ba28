"""The evidence of failed steps as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sealcluster.api import timestamp
from sealcluster.api.status import Failure
from sealcluster.cli.failures import spoken
from sealcluster.cli.statusview import moment
from sealcluster.core.evidence import Evidence

NOTHING = "no step has failed"


def lines(entries: Sequence[Evidence], tail: int) -> list[str]:
    """The text, oldest first; `tail`: how many of the last lines of each output are shown (0: all)."""
    found: list[str] = []
    for entry in entries:
        found += [*([""] if found else []), *_entry(entry, tail)]
    return found or [NOTHING]


def document(cluster: str, entries: Sequence[Evidence]) -> dict[str, Any]:
    """The same as data."""
    rows = [{**asdict(entry), "time": timestamp(moment(entry.time))} for entry in entries]
    return {"cluster": cluster, "failures": rows}


def of_status(failure: Failure | None, seconds: float) -> tuple[Evidence, ...]:
    """What status alone tells, where nothing else is at hand; `seconds` is its time."""
    if failure is None:
        return ()
    return (
        Evidence(
            phase=failure.phase,
            step=failure.step,
            reason=failure.reason,
            message=failure.message,
            time=seconds,
            host=failure.host or "",
            hint=failure.hint or "",
            exit_code=failure.exit_code,
            output=failure.output or "",
        ),
    )


def chosen(entries: Sequence[Evidence], host: str | None) -> tuple[Evidence, ...]:
    """Those of one host, or all."""
    return tuple(e for e in entries if host is None or e.host == host)


def _entry(entry: Evidence, tail: int) -> list[str]:
    where = ", ".join(dict.fromkeys((entry.host or "cluster", entry.phase, entry.step)))
    code = [f"exit code {entry.exit_code}"] if entry.exit_code is not None else []
    tries = [f"{entry.count} tries"] if entry.count > 1 else []
    found = ["  ".join((timestamp(moment(entry.time)), where, ", ".join([*code, *tries]))).rstrip()]
    found.append(f"  {entry.reason}: {entry.message}")
    if entry.hint:
        found.append(f"  hint: {spoken(entry.hint)}")
    found += _block("its output", entry.output, tail)
    found += _block(f"{entry.unit}.service at that moment", entry.unit_log, tail)
    return found


def _block(title: str, text: str, tail: int) -> list[str]:
    rows = text.rstrip().splitlines()
    if not rows:
        return []
    shown = rows[-tail:] if tail else rows
    more = f" (the last {len(shown)} of {len(rows)} lines)" if len(shown) < len(rows) else ""
    return [f"  {title}{more}", *(f"    {row}" for row in shown)]
