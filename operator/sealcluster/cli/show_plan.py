"""A plan for people and for programs: what would be done, where, why, and what it waits for."""

from __future__ import annotations

from typing import Any

from sealcluster.cli.columns import columns
from sealcluster.cli.failures import spoken
from sealcluster.core.plan import Action, Problem
from sealcluster.engine import Report


def steps(report: Report) -> list[Action]:
    """Every action, those of the cluster first, then host by host in the spec's order; within a host in the order of the pipeline."""
    actions = [action for plan in report.plans.values() for action in plan.actions]
    order = {name: number for number, name in enumerate(["", *report.view.hosts])}
    return sorted(actions, key=lambda action: order.get(action.host, len(order)))


def document(report: Report) -> dict[str, Any]:
    """The plan as data."""
    return {
        "cluster": report.view.name,
        "generation": report.view.generation,
        "deleting": report.view.deleting,
        "steps": [
            {
                "host": action.host or None,
                "phase": action.phase,
                "what": action.what,
                "why": action.why,
                "after": action.needs or None,
                "disruptive": action.disruptive,
            }
            for action in steps(report)
        ],
        "problems": [
            {
                "host": problem.host or None,
                "reason": problem.reason,
                "message": problem.message,
                "hint": spoken(problem.hint) or None,
                "needsPerson": problem.terminal,
                "concernsCluster": problem.cluster,
            }
            for problem in report.problems
        ],
    }


def lines(report: Report) -> list[str]:
    """The plan as text."""
    actions = steps(report)
    found: list[str] = []
    if actions:
        hosts = len({a.host for a in actions if a.host})
        where = f" on {hosts} host{'s' if hosts != 1 else ''}" if hosts else ""
        found.append(f"plan for {report.view.name}: {len(actions)} step{'s' if len(actions) != 1 else ''}{where}")
        rows = {host: [a for a in actions if a.host == host] for host in dict.fromkeys(a.host for a in actions)}
        drawn = iter(columns([_step(a) for a in actions], "  "))
        for host, own in rows.items():
            found.append(host or "cluster")
            found += [next(drawn) for _ in own]
        found.append("further steps follow from what these bring about")
    elif not report.problems:
        found.append(f"plan for {report.view.name}: nothing to do")
    if report.problems:
        found += ["in the way" if actions else f"plan for {report.view.name}: nothing can be done", *(_problem(p) for p in report.problems)]
    return found


def _step(action: Action) -> list[str]:
    after = f"after {action.needs}" if action.needs else ""
    return ["!" if action.disruptive else "+", action.what, action.why, after]


def _problem(problem: Problem) -> str:
    hint = f"; {spoken(problem.hint)}" if problem.hint else ""
    return f"  {'!' if problem.terminal else '~'} {problem.reason}: {problem.message}{hint}"
