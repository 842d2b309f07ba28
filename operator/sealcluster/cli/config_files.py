"""`--config-file`: kubeadm's documents and sealos' Configs, as `sealos run --config-file` takes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from sealcluster.cli.texts import read
from sealcluster.core.errors import TerminalError

KUBEADM = {
    "ClusterConfiguration": "cluster",
    "InitConfiguration": "init",
    "JoinConfiguration": "join",
    "KubeletConfiguration": "kubelet",
    "KubeProxyConfiguration": "kubeProxy",
}
"""Fields of spec.kubeadm by kind."""

Document = dict[str, Any]


def read_configs(paths: Sequence[Path], images: Sequence[Document]) -> tuple[Document, list[Document]]:
    """(spec.kubeadm, spec.configs) of the files; `images` are the rows of spec.images that a Config may name."""
    kubeadm: Document = {}
    configs: list[Document] = []
    for path in paths:
        try:
            documents = [d for d in yaml.safe_load_all(read(path)) if d is not None]
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            mark = getattr(error, "problem_mark", None)
            raise _bad(path, f"it is not YAML{f' in line {mark.line + 1}' if mark else ''}") from None
        for number, document in enumerate(documents, 1):
            kind = document.get("kind") if isinstance(document, dict) else None
            if kind in KUBEADM:
                kubeadm[KUBEADM[kind]] = document
            elif kind == "Config":
                spec = document.get("spec")
                if not isinstance(spec, dict):
                    raise _bad(path, f"document {number} is a Config whose spec is no map")
                configs.append(_config(path, number, spec, images))
            else:
                raise _bad(path, f"document {number} is neither one of kubeadm's ({', '.join(KUBEADM)}) nor a Config of sealos")
    return kubeadm, configs


def _config(path: Path, number: int, spec: Document, images: Sequence[Document]) -> Document:
    found = {"path": spec.get("path"), "strategy": spec.get("strategy") or "override", "data": spec.get("data")}
    if spec.get("match"):
        names = [image["name"] for image in images if image["ref"] == spec["match"]]
        if not names:
            raise _bad(path, f"document {number} matches {spec['match']}, which is none of the images")
        found["match"] = names[0]
    return found


def _bad(path: Path, cause: str) -> TerminalError:
    return TerminalError(f"reading --config-file {path}: {cause}", reason="InvalidSpec")
