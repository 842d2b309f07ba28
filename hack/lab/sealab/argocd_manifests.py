"""What an Argo CD without its servers needs in the API: its kinds, its settings and a project, taken from the source that it is built from."""

import json
import os
import secrets
import subprocess
from pathlib import Path

from sealab.errors import LabError
from sealab.gobuild_toolchain import go, go_env
from sealab.paths import SOURCE
from sealab.plane import Plane

NAMESPACE = "argocd"
_MODULE = "github.com/argoproj/argo-cd/v3"
_KINDS = {kind: f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/{kind}" for kind in ("applications", "applicationsets", "appprojects")}


def source() -> Path:
    """The folder of the module in Go's cache; it is there once the binary was built, and fetched otherwise."""
    command = [str(go()), "mod", "download", "-json", _MODULE]
    environment = {**os.environ, **go_env()}
    done = subprocess.run(command, cwd=SOURCE / "go" / "argocd", env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"finding the source of Argo CD: go mod download exited {done.returncode}: {done.stderr.strip()}")
    return Path(json.loads(done.stdout)["Dir"])


def install(plane: Plane) -> None:
    """Kinds, namespace, the settings as Argo CD ships them, and the default project."""
    manifests = source() / "manifests"
    plane.kubectl("apply", "--server-side", "-k", str(manifests / "crds"))
    plane.kubectl("create", "namespace", NAMESPACE)
    plane.kubectl("apply", "--namespace", NAMESPACE, "-k", str(manifests / "base" / "config"))
    # what its API server would do at its first start, which does not run here
    key = {"stringData": {"server.secretkey": secrets.token_urlsafe(32)}}
    plane.kubectl("patch", "secret", "argocd-secret", "--namespace", NAMESPACE, "--patch", json.dumps(key))
    for path in _KINDS.values():
        plane.until_served(path)
    # not with kubectl: what it knows of the kinds comes later than the kinds
    status, answer = plane.request("POST", _KINDS["appprojects"], _PROJECT)
    if status != 201:
        raise LabError(f"making Argo CD's default project: the API server answered {status}: {answer.decode(errors='replace')}")


_PROJECT = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "AppProject",
    "metadata": {"name": "default", "namespace": NAMESPACE},
    "spec": {
        "sourceRepos": ["*"],
        "destinations": [{"server": "*", "namespace": "*"}],
        "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
    },
}
