"""Metrics follow the reports."""

from pathlib import Path
from typing import Any

import yaml

from sealcluster.api import SealClusterSpec
from sealcluster.api.summary import Account
from sealcluster.controller.durations import Ended, Outcome, PhaseDurations
from sealcluster.controller.metrics import Metrics
from sealcluster.core.facts import ClusterFacts, NodeFacts
from sealcluster.core.plan import Action, PhasePlan, Problem
from sealcluster.core.state import StateRecord
from sealcluster.core.view import ClusterView, HostView
from sealcluster.engine import Report

EXAMPLE = Path(__file__).parents[3] / "examples/minimal.yaml"


def report(**more: Any) -> Report:
    body = next(item for item in yaml.safe_load_all(EXAMPLE.read_text()) if item["kind"] == "SealCluster")
    spec = SealClusterSpec.model_validate(body["spec"])
    hosts = {h.name: HostView(h.name, spec=h) for h in spec.hosts}
    first, second = list(hosts)[:2]
    hosts[first] = HostView(first, spec=spec.hosts[0], soonest_expiry=5e9)
    hosts[second] = HostView(second, spec=spec.hosts[1], error=Problem("HostUnreachable", "no answer", host=second))
    cluster = ClusterFacts(nodes={first: NodeFacts(first, "u", ready=True)})
    view = ClusterView("demo", "ns", 1, spec, StateRecord("c1"), hosts, cluster=cluster)
    plans = {"join": PhasePlan(actions=(Action("join", "join", second), Action("join", "label", second)))}
    problems = (Problem("HostUnreachable", "no answer"), Problem("HostUnreachable", "no answer either"), Problem("Bogus", "b"))
    return Report(view, plans, {"k": Action("join", "join", second)}, {}, None, Account(applied=False), problems)


def test_a_report_becomes_gauges() -> None:
    text = Metrics(lambda: [report()]).text().decode()
    labels = 'name="demo",namespace="ns"'
    for line in (
        "sealcluster_objects 1.0",
        f"sealcluster_ready{{{labels}}} 0.0",
        f"sealcluster_actions_running{{{labels}}} 1.0",
        f"sealcluster_actions_planned{{{labels}}} 2.0",
        f'sealcluster_hosts{{{labels},state="wanted"}} 2.0',
        f'sealcluster_hosts{{{labels},state="unreachable"}} 1.0',
        f'sealcluster_hosts{{{labels},state="ready"}} 1.0',
        f'sealcluster_problems{{{labels},reason="HostUnreachable"}} 2.0',
        f'sealcluster_problems{{{labels},reason="InternalError"}} 1.0',
        f"sealcluster_certificate_expiry_timestamp_seconds{{{labels}}} 5e+09",
    ):
        assert line in text, text


def test_traffic_is_counted() -> None:
    text = Metrics(list, lambda: {"commands": 7, "connections": 2}).text().decode()
    assert "sealcluster_ssh_commands_total 7.0" in text
    assert "sealcluster_ssh_connections_total 2.0" in text


def test_durations_of_phases_become_a_histogram_without_labels_of_objects() -> None:
    durations = PhaseDurations()
    durations.add([Ended("guests", Outcome.FINISHED, 3.0), Ended("guests", Outcome.FINISHED, 9_000.0)])
    text = Metrics(list, durations=durations.found).text().decode()
    labels = 'outcome="finished",phase="guests"'
    for line in (
        "# TYPE sealcluster_phase_duration_seconds histogram",
        f'sealcluster_phase_duration_seconds_bucket{{le="2.0",{labels}}} 0.0',
        f'sealcluster_phase_duration_seconds_bucket{{le="5.0",{labels}}} 1.0',
        f'sealcluster_phase_duration_seconds_bucket{{le="7200.0",{labels}}} 1.0',
        f'sealcluster_phase_duration_seconds_bucket{{le="+Inf",{labels}}} 2.0',
        f"sealcluster_phase_duration_seconds_count{{{labels}}} 2.0",
        f"sealcluster_phase_duration_seconds_sum{{{labels}}} 9003.0",
    ):
        assert line in text, text


def test_an_object_that_is_gone_leaves_no_labels() -> None:
    reports = [report()]
    metrics = Metrics(lambda: reports)
    assert "demo" in metrics.text().decode()
    reports.clear()
    assert "demo" not in metrics.text().decode()
