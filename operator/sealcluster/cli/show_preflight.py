"""The report of preflight: every check on every host, those that failed with what to do."""

from __future__ import annotations

from typing import Any

from sealcluster.cli.columns import table
from sealcluster.core.policies.preflight import CLUSTER, Check, preflight
from sealcluster.core.view import ClusterView


def checks(view: ClusterView) -> list[Check]:
    """All results; a host that could not be seen has one check of its own that says why."""
    unseen = [
        Check(host.name, "connect", ok=False, message=host.error.message, reason=host.error.reason, fix=host.error.hint)
        for host in view.wanted
        if host.error is not None
    ]
    seen = [
        Check(
            host.name,
            "connect",
            ok=True,
            message="it answers",
            value=f"{host.address}:{(host.spec and host.spec.port) or view.spec.ssh.port}",
        )
        for host in view.wanted
        if host.facts is not None
    ]
    order = {name: number for number, name in enumerate(["", *view.hosts])}
    return sorted([*unseen, *seen, *preflight(view)], key=lambda check: order.get(check.host, len(order)))


def verdict(results: list[Check]) -> str:
    """One line."""
    errors, warnings = sum(c.blocks for c in results), sum(not c.ok and not c.blocks for c in results)
    if not errors and not warnings:
        return f"{len(results)} checks passed"
    return f"{len(results)} checks: {errors} failed, {warnings} warning{'s' if warnings != 1 else ''}"


def lines(results: list[Check]) -> list[str]:
    """The table, then the failures with their cure."""
    rows = [[c.host if c.scope != CLUSTER or c.ok else c.host or "cluster", c.id, _result(c), c.value, c.limit] for c in results]
    found = table(("HOST", "CHECK", "RESULT", "VALUE", "LIMIT"), [[row[0] or "cluster", *row[1:]] for row in rows])
    failed = [c for c in results if not c.ok]
    if failed:
        found.append("")
    for check in failed:
        fix = f"; {check.fix}" if check.fix else ""
        found.append(f"{_result(check)}: {f'{check.host}: ' if check.host and check.scope != CLUSTER else ''}{check.message}{fix}")
    return [*found, "", verdict(results)]


def document(view: ClusterView, results: list[Check]) -> dict[str, Any]:
    """The same as data."""
    return {
        "cluster": view.name,
        "passed": not any(c.blocks for c in results),
        "checks": [{**c._asdict(), "blocks": c.blocks} for c in results],
    }


def _result(check: Check) -> str:
    if check.ok:
        return "ok"
    return "FAILED" if check.blocks else "warning"
