"""What is new in each report of the engine, as lines for people; both kinds of progress print them."""

from __future__ import annotations

from dataclasses import dataclass

from sealcluster.api import HostKeyPolicy
from sealcluster.api.conditions import ConditionType
from sealcluster.api.ssh import effective_ssh
from sealcluster.api.status import ConditionStatus
from sealcluster.api.summary import summarize
from sealcluster.cli.failures import spoken
from sealcluster.core.plan import Problem
from sealcluster.core.view import HostView
from sealcluster.engine import Report
from sealcluster.render.fingerprint import fingerprint

OUTPUT_LINES = 5
"""Last lines of a failed step that are shown with it; `status` and the log show more."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened. `kind`: action, problem, key, step."""

    kind: str
    text: str
    style: str = ""
    """In rich's words."""


class Changes:
    """Compares each report with those before it."""

    def __init__(self) -> None:
        self._running: set[str] = set()
        self._problems: set[str] = set()
        self._keys: set[str] = set()
        self._step = ""

    def new(self, report: Report) -> list[Line]:
        """Lines for what this report says for the first time."""
        return [*self._new_keys(report), *self._new_actions(report), *self._new_problems(report), *self._new_step(report)]

    def _new_keys(self, report: Report) -> list[Line]:
        found = []
        for host in report.view.hosts.values():
            if host.host_key and host.name not in self._keys:
                self._keys.add(host.name)
                if host.row is None and _first_use(report, host):
                    text = f"{host.name}: accepted the host key of {host.address} on first use: {fingerprint(host.host_key)}"
                    found.append(Line("key", text, "cyan"))
        return found

    def _new_actions(self, report: Report) -> list[Line]:
        started = [a for a in report.running.values() if a.key not in self._running]
        self._running = {a.key for a in report.running.values()}
        return [Line("action", f"{action.host}: {action.what}" if action.host else action.what) for action in started]

    def _new_problems(self, report: Report) -> list[Line]:
        found = []
        current = set()
        for problem in report.problems:
            text = f"{problem.reason}: {problem.message}{'; ' + spoken(problem.hint) if problem.hint else ''}"
            current.add(text)
            if text not in self._problems:
                found.append(Line("problem", text, "red" if problem.terminal else "yellow"))
                found += [Line("problem", f"    {line}", "dim") for line in _output(report, problem)]
        self._problems = current
        return found

    def _new_step(self, report: Report) -> list[Line]:
        text = str(report.step) if report.step and report.running else waiting_for(report)
        if not text or text == self._step or report.released:
            return []
        self._step = text
        if any(text.startswith(p.message) or p.message in text for p in report.problems):
            return []  # said as a problem already
        return [Line("step", text, "bold")]


def waiting_for(report: Report) -> str:
    """Why it is not done although nothing may be under way: what is worked on, what blocks it, or what was not seen healthy yet."""
    note = report.account.working or report.account.blocked
    if note:
        return note.message
    ready = summarize(report.account)[ConditionType.READY]
    return "" if ready.status is ConditionStatus.TRUE or report.released else ready.message


def _output(report: Report, problem: Problem) -> list[str]:
    """The last lines of what failed."""
    failure = next((f for f in report.view.failures.values() if f.problem == problem), None)
    return failure.output.rstrip().splitlines()[-OUTPUT_LINES:] if failure else []


def _first_use(report: Report, host: HostView) -> bool:
    """The key was neither pinned nor in a known_hosts that we were given."""
    if host.spec is None:
        return False
    keys = effective_ssh(report.view.spec.ssh, host.spec.ssh, host.spec.port).host_keys
    return keys.policy is HostKeyPolicy.TRUST_ON_FIRST_USE and keys.known_hosts_secret_ref is None
