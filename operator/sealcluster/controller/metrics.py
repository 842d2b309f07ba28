"""Prometheus metrics, computed from the last reports when they are asked for: no label outlives its object."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from sealcluster.controller.durations import BUCKETS, Histogram
from sealcluster.engine import Report
from sealcluster.engine.report import as_reason

CONTENT_TYPE = CONTENT_TYPE_LATEST
OBJECT = ("namespace", "name")
Durations = Callable[[], Mapping[tuple[str, str], Histogram]]


class ReportCollector(Collector):
    """Gauges per SealCluster. Labels are bounded by the number of objects and the closed list of reasons; never a host."""

    def __init__(self, reports: Callable[[], Sequence[Report]]) -> None:
        self._reports = reports

    def collect(self) -> Iterable[Metric]:
        """What is so now."""
        ready = GaugeMetricFamily("sealcluster_ready", "1 when the cluster is as it is wanted, and healthy.", labels=OBJECT)
        blocked = GaugeMetricFamily("sealcluster_blocked", "1 when a person is needed.", labels=OBJECT)
        wanted = GaugeMetricFamily("sealcluster_hosts", "Hosts by what is known of them.", labels=(*OBJECT, "state"))
        running = GaugeMetricFamily("sealcluster_actions_running", "Actions under way.", labels=OBJECT)
        waiting = GaugeMetricFamily("sealcluster_actions_planned", "Actions that are still to be done.", labels=OBJECT)
        problems = GaugeMetricFamily("sealcluster_problems", "What is in the way, by reason.", labels=(*OBJECT, "reason"))
        expiry = GaugeMetricFamily("sealcluster_certificate_expiry_timestamp_seconds", "When the first certificate expires.", labels=OBJECT)
        reports = self._reports()
        for report in reports:
            view = report.view
            labels = (view.namespace, view.name)
            ready.add_metric(labels, float(report.ready))
            blocked.add_metric(labels, float(report.blocked))
            running.add_metric(labels, len(report.running))
            waiting.add_metric(labels, sum(len(plan.actions) for plan in report.plans.values()))
            for state, number in _host_states(report).items():
                wanted.add_metric((*labels, state), number)
            for reason, number in Counter(str(as_reason(problem.reason)) for problem in report.problems).items():
                problems.add_metric((*labels, reason), number)
            expiries = [host.soonest_expiry for host in view.hosts.values() if host.soonest_expiry is not None]
            if expiries:
                expiry.add_metric(labels, min(expiries))
        count = GaugeMetricFamily("sealcluster_objects", "SealClusters that were looked at.", value=len(reports))
        yield from (count, ready, blocked, wanted, running, waiting, problems, expiry)


class TrafficCollector(Collector):
    """Counters of what went over SSH, for the process as a whole."""

    def __init__(self, traffic: Callable[[], Mapping[str, int]]) -> None:
        self._traffic = traffic

    def collect(self) -> Iterable[Metric]:
        """What is so now."""
        for kind, number in sorted(self._traffic().items()):
            yield CounterMetricFamily(f"sealcluster_ssh_{kind}", f"SSH {kind} that were opened.", value=number)


class DurationCollector(Collector):
    """How long phases took, over all SealClusters: labels are bounded by the lists of phases and outcomes."""

    def __init__(self, durations: Durations) -> None:
        self._durations = durations

    def collect(self) -> Iterable[Metric]:
        """Since the process started."""
        text = "How long phases took, from their first step until nothing of them was left to do."
        family = HistogramMetricFamily("sealcluster_phase_duration_seconds", text, labels=("phase", "outcome"))
        for labels, found in sorted(self._durations().items()):
            bounds = [*(str(float(bound)) for bound in BUCKETS), "+Inf"]
            family.add_metric(labels, list(zip(bounds, accumulate(found.counts), strict=True)), found.seconds)
        yield family


class Metrics:
    """The text of /metrics."""

    def __init__(
        self, reports: Callable[[], Sequence[Report]], traffic: Callable[[], Mapping[str, int]] = dict, durations: Durations = dict
    ) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        self._registry.register(ReportCollector(reports))
        self._registry.register(TrafficCollector(traffic))
        self._registry.register(DurationCollector(durations))

    def text(self) -> bytes:
        """In the exposition format `CONTENT_TYPE`."""
        return generate_latest(self._registry)


def _host_states(report: Report) -> dict[str, int]:
    """Every state is always there, so that an alert on a sum does not see gaps."""
    view = report.view
    nodes = {host.name: view.node(host) for host in view.wanted}
    return {
        "wanted": len(view.wanted),
        "leaving": len(view.leaving),
        "unreachable": sum(host.error is not None for host in view.hosts.values()),
        "joined": sum(node is not None for node in nodes.values()),
        "ready": sum(node is not None and node.ready for node in nodes.values()),
    }
