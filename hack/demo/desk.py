"""What a person at the demo has at hand, below build/demo: commands on PATH, one kubeconfig for both clusters, the manifest to edit."""

import base64
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from sealab import plane
from sealab.gobuild import binary

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = ROOT / "build" / "demo"
MANIFEST = HERE / "cluster.yaml"
KUBECONFIG = HERE / "kubeconfig"
MANAGEMENT = "management"
"""The context of the management plane; the new cluster's context is named like the cluster."""

ENV = """\
# The demo at hand: . build/demo/env
export PATH={bin}:$PATH KUBECONFIG={kubeconfig}
"""


def lay(management: plane.Plane, manifest: dict[str, Any]) -> None:
    """As soon as the management plane runs, so that another shell can look on."""
    clear()
    HERE.mkdir(parents=True, mode=0o700)
    programs = HERE / "bin"
    programs.mkdir()
    (programs / "kubectl").symlink_to(binary("kubectl"))
    for name in ("sealcluster", "kubectl-seal"):
        (programs / name).symlink_to(Path(sys.executable).parent / name)
    _write(KUBECONFIG, _named(yaml.safe_load(management.kubeconfig.read_text()), MANAGEMENT))
    MANIFEST.write_text(yaml.safe_dump(manifest, sort_keys=False))
    (HERE / "env").write_text(ENV.format(bin=programs, kubeconfig=KUBECONFIG))


def add(management: plane.Plane, cluster: str) -> None:
    """The new cluster's context; the management plane's stays the current one."""
    secret = json.loads(management.kubectl("get", "secret", f"{cluster}-kubeconfig", "-o", "json").stdout)
    own, fresh = yaml.safe_load(KUBECONFIG.read_text()), _named(yaml.safe_load(base64.b64decode(secret["data"]["value"])), cluster)
    for key in ("clusters", "users", "contexts"):
        own[key] = [*own[key], *fresh[key]]
    _write(KUBECONFIG, own)


def run(*argv: str, check: bool = True) -> None:
    """A command as the person would type it, its output where the person looks."""
    shown = {"PATH": f"{HERE / 'bin'}:/usr/bin:/bin", "KUBECONFIG": str(KUBECONFIG), "HOME": str(HERE)}
    subprocess.run([str(HERE / "bin" / argv[0]), *argv[1:]], check=check, env=shown)


def clear() -> None:
    """Nothing of it is left."""
    shutil.rmtree(HERE, ignore_errors=True)


def _named(config: dict[str, Any], name: str) -> dict[str, Any]:
    """The current context of a kubeconfig and what it refers to, all under one name."""
    context = next(c["context"] for c in config["contexts"] if c["name"] == config["current-context"])
    cluster = next(c["cluster"] for c in config["clusters"] if c["name"] == context["cluster"])
    user = next(u["user"] for u in config["users"] if u["name"] == context["user"])
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }


def _write(path: Path, config: dict[str, Any]) -> None:
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(config, sort_keys=False))
