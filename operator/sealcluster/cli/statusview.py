"""From an engine's report to the SealCluster's status, the same that the operator writes."""

from __future__ import annotations

from datetime import UTC, datetime

from sealcluster.api import SealClusterStatus, compact
from sealcluster.api.status import Condition
from sealcluster.api.summary import set_conditions, summarize
from sealcluster.engine import Report
from sealcluster.engine.status import make_status
from sealcluster.render.fingerprint import fingerprint


def status_of(report: Report, old: SealClusterStatus) -> SealClusterStatus:
    """The whole status. `old`: the one before, for transition times and what a look cannot see."""
    view = report.view
    keys = {h.name: fingerprint(h.host_key or (h.row.host_key if h.row else "")) for h in view.hosts.values()}
    known = {name: key for name, key in keys.items() if key}
    status = make_status(report, old.conditions, moment(view.now), fingerprints=known, failure=old.last_failure)
    if status.last_failure is None and not report.ready:  # what failed in an earlier command; kept until the cluster is Ready
        status = status.model_copy(update={"last_failure": old.last_failure})
    return compact(status, view.spec.hosts)


class History:
    """Conditions through all reports of a command, so that their transition times are right at its end."""

    def __init__(self, before: SealClusterStatus) -> None:
        self._status = before
        self.worked = False
        """True once something was changed; filling our own store with images is no change."""

    def tell(self, report: Report) -> None:
        """One turn."""
        self.worked = self.worked or any(a.phase != "pull-images" for a in report.running.values())
        self._status = self._status.model_copy(update={"conditions": self._conditions(report)})

    def end(self, report: Report) -> SealClusterStatus:
        """The status after the last one."""
        return status_of(report, self._status)

    def _conditions(self, report: Report) -> tuple[Condition, ...]:
        view = report.view
        return set_conditions(self._status.conditions, summarize(report.account), view.generation, moment(view.now))


def moment(seconds: float) -> datetime:
    """Seconds since the epoch as a time in UTC."""
    return datetime.fromtimestamp(seconds, UTC)
