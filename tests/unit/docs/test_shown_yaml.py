"""Every piece of YAML in pages and examples is what it says it is: SealClusters pass the models and the schema of the CRD."""

from typing import Any

import pytest
import yaml

from labkit.docs import shown_yaml
from labkit.manifests import ROOT, manifest
from sealcluster.api import parse, validate
from sealcluster.render.clusterfile_parse import parse_clusterfile
from sealcluster.testing.kubemodel import schema

CRD = yaml.safe_load((ROOT / "crds" / "sealclusters.sealcluster.io.yaml").read_text())
RULES = CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
OTHERS = {
    "argoproj.io/v1alpha1": {"Application", "ApplicationSet", "AppProject"},
    "batch/v1": {"Job", "CronJob"},
    "kustomize.toolkit.fluxcd.io/v1": {"Kustomization"},
    "source.toolkit.fluxcd.io/v1": {"GitRepository"},
    "v1": {"Secret", "ConfigMap", "Namespace", "ServiceAccount"},
    "rbac.authorization.k8s.io/v1": {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"},
    "monitoring.coreos.com/v1": {"ServiceMonitor", "PodMonitor", "PrometheusRule"},
}
"""Kinds of other projects that we show; a typing error in apiVersion or kind is no member of this table."""

SHOWN = shown_yaml()


def kind_of(document: Any) -> str:
    return str(document.get("kind", "")) if isinstance(document, dict) else ""


def check_sealcluster(document: dict[str, Any]) -> None:
    body = {key: value for key, value in document.items() if key in ("spec", "status")}
    assert schema.pruned(body, RULES) == body, "a field that the CRD does not know"
    assert schema.faults(schema.defaulted(body, RULES), {**RULES, "required": ["spec"]}) == []
    assert validate(parse(document).spec) == []


@pytest.mark.parametrize(("where", "document"), SHOWN, ids=[where for where, _ in SHOWN])
def test_it_is_what_it_says(where: str, document: Any) -> None:
    match kind_of(document):
        case "SealCluster":
            check_sealcluster(document)
        case "Cluster" | "Config" if document.get("apiVersion") == "apps.sealos.io/v1beta1":
            if kind_of(document) == "Cluster":
                assert parse_clusterfile(yaml.safe_dump(document)).name
        case "":
            assert isinstance(document, dict), "neither an object nor a part of one"
            if set(document) <= {"spec", "status"}:  # a part of a SealCluster
                check_sealcluster({**manifest(document.get("spec")), **({"status": document["status"]} if "status" in document else {})})
        case kind:
            assert kind in OTHERS.get(document.get("apiVersion", ""), set()), f"{document.get('apiVersion')} {kind} is not known here"
            assert document["metadata"]["name"]


def test_there_is_something_to_judge() -> None:
    kinds = [kind_of(document) for _, document in SHOWN]
    assert kinds.count("SealCluster") >= 6
    assert {"Application", "ApplicationSet", "Kustomization", "Cluster"} <= set(kinds)


@pytest.mark.parametrize("change", [{"spec": {"host": []}}, {"spec": {"hosts": [{"name": "m1"}]}}, {"spec": {"paused": "yes"}}])
def test_a_mistake_in_an_example_is_found(change: dict[str, Any]) -> None:
    bad = manifest(change["spec"])
    with pytest.raises((AssertionError, ValueError)):
        check_sealcluster(bad)
