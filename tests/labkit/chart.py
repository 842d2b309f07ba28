"""The chart, rendered and installed by the real helm."""

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import yaml

from sealab.gobuild import binary
from sealab.plane import Plane

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "sealcluster"
GOLDEN = ROOT / "tests" / "golden" / "chart"
NAMESPACE = "sealcluster-system"
KUBERNETES = "v1.34.4"
"""The version that charts are rendered for: a helm that was built from its module would say 1.20."""
IMAGE = "image.repository=registry.example/sealcluster-operator"

Manifest = dict[str, Any]


def helm(*words: str, check: bool = True, kubeconfig: Path | None = None, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run helm; with `check` a failure is an AssertionError with what it said."""
    command = [str(binary("helm")), *words, *(["--kubeconfig", str(kubeconfig)] if kubeconfig else [])]
    with tempfile.TemporaryDirectory() as home:  # what it caches of servers is of no use to the next test
        environment = {**os.environ, **dict.fromkeys(("HOME", "HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"), home)}
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=environment, check=False)
    assert not check or done.returncode == 0, f"helm {' '.join(words)}: {done.stderr}"
    return done


def template(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """`helm template` of the chart for one release."""
    common = ["--namespace", NAMESPACE, "--kube-version", KUBERNETES, "--include-crds"]
    return helm("template", "sealcluster", str(CHART), *common, *words, check=check)


def render(*words: str) -> list[Manifest]:
    """The manifests of the chart with these words for helm (`--set`, `--values`)."""
    return [manifest for manifest in yaml.safe_load_all(template(*words).stdout) if manifest]


def cases() -> list[str]:
    """Names of the sets of values that have a golden file."""
    return sorted(path.name.removesuffix(".values.yaml") for path in GOLDEN.glob("*.values.yaml"))


def values_of(case: str) -> list[str]:
    """helm's words for a set of values."""
    return ["--values", str(GOLDEN / f"{case}.values.yaml")]


def golden(case: str) -> str:
    """What helm renders of a set of values, without the two long documents that other tests compare with their sources."""
    documents = template(*values_of(case)).stdout.removeprefix("---\n").split("\n---\n")
    short = [
        text
        for text in documents
        if not text.startswith(("# Source: sealcluster/templates/crd.", "# Source: sealcluster/templates/dashboard."))
    ]
    return "\n---\n".join(short).rstrip() + "\n"


def account_kubeconfig(plane: Plane, file: Path, namespace: str = NAMESPACE, account: str = "sealcluster") -> Path:
    """A kubeconfig with the token of a ServiceAccount: who uses it may do what the chart grants, and no more."""
    admin = yaml.safe_load(plane.kubeconfig.read_text())
    token = plane.kubectl("create", "token", account, "--namespace", namespace).stdout.strip()
    admin["users"] = [{"name": admin["users"][0]["name"], "user": {"token": token}}]
    file.touch(mode=0o600)
    file.write_text(yaml.safe_dump(admin))
    return file


if __name__ == "__main__":  # write the golden files anew, after a change on purpose: PYTHONPATH=hack/lab:tests python tests/labkit/chart.py
    for each in cases():
        (GOLDEN / f"{each}.yaml").write_text(golden(each))
