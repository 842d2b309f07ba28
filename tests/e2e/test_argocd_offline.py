"""The pack, judged by Argo CD's own program without any server: the health of every object of the contract, and what the actions change."""

import os
import subprocess

import pytest
import yaml

from labkit.gitops_platform import example
from labkit.manifests import manifest
from sealab.argocd import VERSION
from sealab.gobuild import binary
from unit.api.test_contract import ROWS, from_row

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]

KIND = {"apiVersion": "sealcluster.io/v1alpha1", "kind": "SealCluster"}


@pytest.fixture
def argocd(tmp_path):
    """`argocd("health", object)`: what `argocd admin settings resource-overrides` says with our argocd-cm.yaml."""
    settings = tmp_path / "argocd-cm.yaml"
    identity = {"name": "argocd-cm", "labels": {"app.kubernetes.io/part-of": "argocd"}}
    settings.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "ConfigMap", "metadata": identity, **example("argocd-cm.yaml")}))

    def run(command, obj, *words):
        file = tmp_path / "object.yaml"
        file.write_text(yaml.safe_dump(KIND | obj))
        command = ["admin", "settings", "resource-overrides", command, str(file), *words, "--argocd-cm-path", str(settings)]
        environment = {**os.environ, "HOME": str(tmp_path)}
        done = subprocess.run(
            [binary("argocd", VERSION), *command], capture_output=True, text=True, env=environment, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_health(argocd, row):
    assert f"STATUS: {row['argo']}\n" in argocd("health", from_row(row))


def test_actions(argocd):
    obj = manifest({"paused": False})
    obj["status"] = {"conditions": [{"type": "Stalled", "status": "True"}]}
    rows = [line.split() for line in argocd("list-actions", obj).splitlines()[1:]]
    assert rows == [["pause", "false"], ["resume", "true"], ["retry", "false"]]
    assert changed(argocd("run-action", obj, "pause")) == {"<   paused: false", ">   paused: true"}
    paused = {**obj, "spec": {**obj["spec"], "paused": True}}
    assert changed(argocd("run-action", paused, "resume")) == {"<   paused: true", ">   paused: false"}
    (line, *_) = [line for line in changed(argocd("run-action", obj, "retry")) if "sealcluster.io/retry" in line]
    assert line.startswith(">")


def changed(text):
    """Lines of a difference."""
    return {line for line in text.splitlines() if line.startswith(("<", ">"))}
