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
