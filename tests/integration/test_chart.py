"""What the real helm makes of the chart: golden files, refused values, and that it fits the operator that it runs."""

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import aiohttp
import promql_parser
import pytest
import yaml

from labkit.chart import CHART, GOLDEN, IMAGE, NAMESPACE, ROOT, Manifest, cases, golden, helm, render, template, values_of
from sealcluster.api.conditions import Reason
from sealcluster.controller.durations import Outcome
from sealcluster.controller.metrics import Metrics
from sealcluster.controller.probes import ProbeServer
from sealcluster.controller.settings import PREFIX, Settings

sys.path.insert(0, str(ROOT / "hack"))
import gen_chart

KINDS = {
    ("v1", "ConfigMap"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
    ("apps/v1", "Deployment"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ("monitoring.coreos.com/v1", "PodMonitor"),
    ("monitoring.coreos.com/v1", "PrometheusRule"),
    ("monitoring.coreos.com/v1", "ServiceMonitor"),
}
RIGHTS = [
    ("sealcluster.io", "sealclusters", {"get", "list", "watch", "patch"}),
    ("sealcluster.io", "sealclusters/status", {"patch"}),
    ("", "secrets", {"get", "create", "patch", "delete"}),
    ("", "configmaps", {"get"}),
    ("events.k8s.io", "events", {"create", "patch"}),
]
"""All that the operator may do in the management cluster. One more line is one more thing that a stolen token can do."""


def only(manifests: list[Manifest], kind: str, name: str = "") -> Manifest:
    found = [m for m in manifests if m["kind"] == kind and name in ("", m["metadata"]["name"])]
    assert len(found) == 1, [m["metadata"]["name"] for m in found]
    return found[0]


def container(manifests: list[Manifest]) -> dict[str, Any]:
    (found,) = only(manifests, "Deployment")["spec"]["template"]["spec"]["containers"]
    return dict(found)


@pytest.mark.parametrize("case", cases())
def test_helm_finds_nothing_to_complain_about(case: str) -> None:
    assert "0 chart(s) failed" in helm("lint", "--strict", str(CHART), *values_of(case)).stdout


@pytest.mark.parametrize("case", cases())
def test_golden(case: str) -> None:
    assert golden(case) == (GOLDEN / f"{case}.yaml").read_text()


@pytest.mark.parametrize("case", cases())
def test_every_manifest_is_of_a_known_kind_and_says_whose_it_is(case: str) -> None:
    manifests = render(*values_of(case))
    assert {(m["apiVersion"], m["kind"]) for m in manifests} <= KINDS
    names = [(m["kind"], m["metadata"].get("namespace"), m["metadata"]["name"]) for m in manifests]
    assert len(set(names)) == len(names)
    for manifest in manifests:
        labels = manifest["metadata"]["labels"]
        assert labels["app.kubernetes.io/instance"] == "sealcluster"
        assert labels["app.kubernetes.io/managed-by"] == "Helm"
        cluster_wide = manifest["kind"].startswith("Cluster") or manifest["kind"] == "CustomResourceDefinition"
        assert ("namespace" in manifest["metadata"]) != cluster_wide


# --- values ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("words", "field"),
    [
        ("--set=operator.logLevel=TRACE", "operator/logLevel"),
        ("--set=operator.logFormat=xml", "operator/logFormat"),
        ("--set=operator.replicas=2", "operator/replicas"),
        ("--set=operator.listenPort=80", "operator/listenPort"),
        ("--set=operator.exitSeconds=0", "operator/exitSeconds"),
        ('--set-json=operator.insecureRegistries=["http://r/"]', "operator/insecureRegistries/0"),
        ("--set=operator.loglevel=INFO", "loglevel"),
        ("--set=image.pullPolicy=Sometimes", "image/pullPolicy"),
        ("--set=image.digest=sha256:12", "image/digest"),
        ("--set=image.repository=Registry.Example/Upper", "image/repository"),
        ('--set-json=watch.namespaces=["Team A"]', "watch/namespaces/0"),
        ('--set-json=watch.namespaces=["a","a"]', "watch/namespaces"),
        ("--set-string=crds.keep=perhaps", "crds/keep"),
        ("--set=contentStore.limit=much", "contentStore/limit"),
        ("--set=contentStore.persistence.size=0", "contentStore/persistence/size"),
        ('--set-json=contentStore.persistence.accessModes=["ReadOnlyMany"]', "contentStore/persistence/accessModes/0"),
        ("--set=extraCA.pem=bundle.pem", "extraCA/pem"),
        ("--set=proxy.url=socks5://proxy:1080", "proxy/url"),
        ("--set=imagePullSecrets[0].secret=x", "imagePullSecrets/0"),
        ("--set=metrics.serviceMonitor.interval=often", "metrics/serviceMonitor/interval"),
        ("--set=unknown=1", "unknown"),
    ],
)
def test_a_bad_value_is_refused_by_name(words: str, field: str) -> None:
    refused = template("--set", IMAGE, words, check=False)
    assert refused.returncode != 0
    assert field in refused.stderr, refused.stderr


def test_an_image_must_be_named() -> None:
    refused = template(check=False)
    assert refused.returncode != 0
    assert "image.repository: say where the operator's image is" in refused.stderr


def test_a_service_monitor_without_a_service_is_refused() -> None:
    refused = template("--set", f"{IMAGE},metrics.serviceMonitor.enabled=true,metrics.service.enabled=false", check=False)
    assert refused.returncode != 0
    assert "metrics.service.enabled" in refused.stderr


def test_the_schema_knows_exactly_the_values() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert set(_paths(values, schema, schema)) == {()}, "paths that only one of them has"


def _paths(value: Any, schema: dict[str, Any], root: dict[str, Any], path: str = "") -> Iterator[tuple[str, ...]]:
    """Paths that only the values or only the schema have; at least one empty tuple."""
    yield ()
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    known = schema.get("properties")
    if not isinstance(value, dict) or known is None or path == "resources":
        return
    for key in (set(known) ^ set(value)) - {"global"}:
        yield (f"{path}.{key}",)
    assert schema["additionalProperties"] is False, path
    for key in set(known) & set(value):
        yield from _paths(value[key], known[key], root, f"{path}.{key}".lstrip("."))


def test_generated_parts_are_up_to_date() -> None:
    assert gen_chart.TEMPLATE.read_text() == gen_chart.template(), "run python hack/gen_chart.py"
    assert gen_chart.README.read_text() == gen_chart.readme(), "run python hack/gen_chart.py"


def test_the_versions_are_the_packages() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (version, version)


# --- the kind ----------------------------------------------------------------------------------------------------
def crd(*words: str) -> Manifest:
    return only(render("--set", IMAGE, *words), "CustomResourceDefinition")


def test_the_crd_is_the_generated_one() -> None:
    shipped = crd()
    metadata = shipped.pop("metadata")
    wanted = yaml.safe_load(gen_chart.CRD.read_text())
    assert metadata.pop("labels")
    assert metadata == {"name": wanted.pop("metadata")["name"], "annotations": {"helm.sh/resource-policy": "keep"}}
    assert shipped == wanted


def test_the_crd_goes_with_the_release_only_if_that_is_wanted() -> None:
    assert "annotations" not in crd("--set", "crds.keep=false")["metadata"]
    assert "CustomResourceDefinition" not in {m["kind"] for m in render("--set", f"{IMAGE},crds.enabled=false")}


# --- rights ------------------------------------------------------------------------------------------------------
def rights(role: Manifest) -> list[tuple[str, str, set[str]]]:
    assert all(set(rule) == {"apiGroups", "resources", "verbs"} for rule in role["rules"])
    return [(group, resource, set(r["verbs"])) for r in role["rules"] for group in r["apiGroups"] for resource in r["resources"]]


def test_the_operators_rights_in_the_whole_cluster() -> None:
    manifests = render("--set", IMAGE)
    assert rights(only(manifests, "ClusterRole", "sealcluster")) == RIGHTS
    binding = only(manifests, "ClusterRoleBinding")
    assert binding["roleRef"]["name"] == "sealcluster"
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "sealcluster", "namespace": NAMESPACE}]


def test_the_operators_rights_in_some_namespaces() -> None:
    manifests = render("--set", IMAGE, "--set", "watch.namespaces={team-a,team-b},rbac.aggregate=false")
    roles = [m for m in manifests if m["kind"] == "Role"]
    bindings = [m for m in manifests if m["kind"] == "RoleBinding"]
    assert [(m["metadata"]["namespace"], rights(m)) for m in roles] == [("team-a", RIGHTS), ("team-b", RIGHTS)]
    assert [m["metadata"]["namespace"] for m in bindings] == ["team-a", "team-b"]
    assert all(m["subjects"][0]["namespace"] == NAMESPACE for m in bindings)
    assert not [m for m in manifests if m["kind"] in ("ClusterRole", "ClusterRoleBinding")]
    assert {"name": "SEALCLUSTER_NAMESPACES", "value": "team-a,team-b"} in container(manifests)["env"]


def test_argo_cds_secrets_are_the_operators_only_if_that_is_wanted() -> None:
    manifests = render("--set", f"{IMAGE},argocd.namespace=argocd")
    role, binding = only(manifests, "Role"), only(manifests, "RoleBinding")
    assert rights(role) == [("", "secrets", {"get", "list", "create", "patch", "delete"})]
    assert role["metadata"]["namespace"] == binding["metadata"]["namespace"] == "argocd"
    assert rights(only(manifests, "ClusterRole", "sealcluster")) == RIGHTS
    assert "Role" not in {m["kind"] for m in render("--set", IMAGE)}


def test_peoples_rights_are_about_sealclusters_only() -> None:
    manifests = render("--set", IMAGE)
    for name, verbs in (
        ("sealcluster-view", {"get", "list", "watch"}),
        ("sealcluster-edit", {"create", "update", "patch", "delete", "deletecollection"}),
    ):
        assert rights(only(manifests, "ClusterRole", name)) == [("sealcluster.io", "sealclusters", verbs)]


# --- the pod -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("case", cases())
def test_the_pod_keeps_the_restricted_standard_and_its_root_read_only(case: str) -> None:
    deployment = only(render(*values_of(case)), "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    (operator,) = pod["containers"]
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert operator["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
    assert {kind for volume in pod["volumes"] for kind in volume} <= {"name", "emptyDir", "persistentVolumeClaim", "configMap", "secret"}
    assert {mount["name"] for mount in operator["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}


def environment(case: str) -> dict[str, str]:
    listed = container(render(*values_of(case)))["env"]
    names = [variable["name"] for variable in listed]
    assert len(set(names)) == len(names)
    return {variable["name"]: variable.get("value", "http://given.example:1") for variable in listed}


@pytest.mark.parametrize("case", cases())
def test_the_operator_takes_the_settings_that_it_gets(case: str) -> None:
    settings = Settings.from_environment(environment(case))
    pod = only(render(*values_of(case)), "Deployment")["spec"]["template"]["spec"]
    mounted = [mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]]
    for path in (settings.store, settings.archives, *([settings.extra_ca] if settings.extra_ca else [])):
        assert any(path.is_relative_to(place) for place in mounted), path
    assert settings.listen_port == pod["containers"][0]["ports"][0]["containerPort"]
    assert settings.exit_seconds < pod["terminationGracePeriodSeconds"]


def test_every_setting_can_be_set() -> None:
    known = {PREFIX + field.name.upper() for field in fields(Settings)}
    given = {name for case in cases() for name in environment(case) if name.startswith(PREFIX)}
    assert known - given == {"SEALCLUSTER_KUBECONFIG"}, "a pod uses its ServiceAccount; all else is for the chart"


async def test_the_operator_answers_where_it_is_asked() -> None:
    operator = container(render("--set", IMAGE))
    async with (
        ProbeServer("127.0.0.1", 0, alive=str, ready=str, metrics=lambda: (b"", "text/plain")) as server,
        aiohttp.ClientSession() as session,
    ):
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            target = operator[probe]["httpGet"]
            assert target["port"] == operator["ports"][0]["name"]
            async with session.get(f"http://127.0.0.1:{server.port}{target['path']}") as response:
                assert response.status == 200
        async with session.get(f"http://127.0.0.1:{server.port}/nowhere") as response:
            assert response.status == 404


# --- what is watched ---------------------------------------------------------------------------------------------
def exported() -> set[str]:
    """Names of the metrics that the operator gives."""
    return set(re.findall(r"^# TYPE (\S+) ", Metrics(list, lambda: {"commands": 1, "connections": 1}).text().decode(), re.MULTILINE))


def alerts(*words: str) -> list[dict[str, Any]]:
    everything = f"{IMAGE},metrics.prometheusRule.enabled=true"
    (group,) = only(render("--set", everything, *words), "PrometheusRule")["spec"]["groups"]
    return list(group["rules"])


def queries() -> list[str]:
    board = json.loads((CHART / "files" / "dashboard.json").read_text())
    shown = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    return [rule["expr"] for rule in alerts()] + shown


@pytest.mark.parametrize("query", queries())
def test_a_query_reads_what_the_operator_gives(query: str) -> None:
    promql_parser.parse(query)
    bare = re.sub(r'"[^"]*"', "", query)
    asked = set(re.findall(r"\b(?:sealcluster|process)_\w+", bare))
    assert asked
    assert {re.sub("(?<=_duration_seconds)_(bucket|sum|count)$", "", name) for name in asked} <= exported()
    for reasons in re.findall(r'reason=~"([^"]*)"', query):
        assert set(reasons.split("|")) <= {reason.value for reason in Reason}
    for outcomes in re.findall(r'outcome=~"([^"]*)"', query):
        assert set(outcomes.split("|")) <= set(Outcome)
    for state in re.findall(r'state="([^"]*)"', query):
        assert f'"{state}"' in (ROOT / "operator/sealcluster/controller/metrics.py").read_text()


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    headings = re.findall(r"^## (\w+)$", (ROOT / "docs" / "runbooks.md").read_text(), re.MULTILINE)
    rules = alerts("--set", "metrics.prometheusRule.runbookUrl=https://docs.example/r")
    assert sorted(headings) == sorted(rule["alert"] for rule in rules)
    for rule in rules:
        assert rule["annotations"]["runbook_url"] == f"https://docs.example/r#{rule['alert'].lower()}"
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in ("warning", "critical")


def test_an_alert_can_be_left_out() -> None:
    left = alerts("--set", "metrics.prometheusRule.disabled={SealClusterNotReady}")
    assert {rule["alert"] for rule in alerts()} - {rule["alert"] for rule in left} == {"SealClusterNotReady"}


def test_the_dashboard_arrives_as_it_is() -> None:
    found = only(render("--set", f"{IMAGE},metrics.dashboard.enabled=true"), "ConfigMap")
    assert json.loads(found["data"]["sealcluster.json"]) == json.loads((CHART / "files" / "dashboard.json").read_text())
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"


def test_monitors_keep_the_labels_of_the_objects() -> None:
    manifests = render("--set", f"{IMAGE},metrics.serviceMonitor.enabled=true,metrics.podMonitor.enabled=true")
    endpoints = [
        *only(manifests, "ServiceMonitor")["spec"]["endpoints"],
        *only(manifests, "PodMonitor")["spec"]["podMetricsEndpoints"],
    ]
    assert [(e["port"], e["path"], e["honorLabels"]) for e in endpoints] == [("http", "/metrics", True)] * 2
    service = only(manifests, "Service")
    assert service["spec"]["ports"][0]["name"] == "http"
    selector = only(manifests, "ServiceMonitor")["spec"]["selector"]["matchLabels"]
    assert selector.items() <= service["metadata"]["labels"].items()
    pod = only(manifests, "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= pod.items()
