"""What people install into Argo CD is what the tests of the scripts have judged."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from labkit import argocd
from labkit.manifests import ROOT, manifest
from sealcluster.kube.management import KUBECONFIG_KEY

PACK = ROOT / "examples" / "argocd"
KIND = "sealcluster.io_SealCluster"


@pytest.fixture
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gen_argocd", ROOT / "hack" / "gen_argocd.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def installed() -> list[Any]:
    patch = yaml.safe_load((PACK / "argocd-cm.yaml").read_text())["data"]
    values = yaml.safe_load((PACK / "values.yaml").read_text())["configs"]["cm"]
    return [patch, values]


def test_the_files_are_up_to_date(generator: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["gen_argocd.py", "--check"])
    assert generator.main() == 0


def test_check_notices_a_difference(generator: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "actions").mkdir()
    for path in PACK.rglob("*.lua"):
        (tmp_path / path.relative_to(PACK)).write_text(path.read_text())
    monkeypatch.setattr(generator, "PACK", tmp_path)
    monkeypatch.setattr(generator, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["gen_argocd.py"])
    assert generator.main() == 0
    monkeypatch.setattr(sys, "argv", ["gen_argocd.py", "--check"])
    assert generator.main() == 0
    (tmp_path / "health.lua").write_text("return {}\n")
    assert generator.main() == 1


@pytest.mark.parametrize("data", installed(), ids=["argocd-cm", "values"])
def test_every_script_arrives_as_it_was_written(data: dict[str, str]) -> None:
    assert set(data) == {f"resource.customizations.{what}.{KIND}" for what in ("health", "actions")}
    assert data[f"resource.customizations.health.{KIND}"] == (PACK / "health.lua").read_text()
    actions = yaml.safe_load(data[f"resource.customizations.actions.{KIND}"])
    scripts = {entry["name"]: entry["action.lua"] for entry in actions["definitions"]}
    assert {"discovery": actions["discovery.lua"], **scripts} == {p.stem: p.read_text() for p in (PACK / "actions").glob("*.lua")}
    offered = argocd.offered(manifest(), actions["discovery.lua"])
    assert set(offered) == set(scripts)


def documents(path: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


@pytest.mark.parametrize("path", sorted((PACK / "cluster").glob("*.yaml")), ids=lambda path: path.name)
def test_an_example_cluster_waits_in_waves_and_asks_before_it_goes(path: Path) -> None:
    (document,) = documents(path)
    notes = document["metadata"]["annotations"]
    assert notes["argocd.argoproj.io/sync-wave"] == {"SealCluster": "0", "Job": "1"}[document["kind"]]
    if document["kind"] == "SealCluster":
        assert set(notes["argocd.argoproj.io/sync-options"].split(",")) == {"Prune=confirm", "Delete=confirm"}
        assert "paused" not in document["spec"], "a value in Git would fight with the actions"


def test_the_smoke_test_uses_the_secret_that_the_operator_writes() -> None:
    (cluster,), (job,) = (documents(PACK / "cluster" / name) for name in ("sealcluster.yaml", "smoke.yaml"))
    pod = job["spec"]["template"]["spec"]
    assert pod["volumes"][0]["secret"]["secretName"] == f"{cluster['metadata']['name']}-kubeconfig"
    assert f"--kubeconfig={pod['containers'][0]['volumeMounts'][0]['mountPath']}/{KUBECONFIG_KEY}" in pod["containers"][0]["args"]


def test_removing_a_directory_never_removes_a_cluster() -> None:
    (clusters,) = documents(PACK / "applicationset.yaml")
    assert clusters["spec"]["syncPolicy"]["preserveResourcesOnDeletion"] is True


def test_a_commit_that_mends_a_cluster_is_taken_by_the_next_retry() -> None:
    (application,), (clusters,) = (documents(PACK / name) for name in ("application.yaml", "applicationset.yaml"))
    policy = application["spec"]["syncPolicy"]
    retry = policy["retry"]
    assert retry["refresh"] is True
    assert retry["limit"] == -1, "a cluster that heals later still gets its later waves"
    assert retry["backoff"]["maxDuration"] == "1m"
    assert clusters["spec"]["template"]["spec"]["syncPolicy"] == policy
