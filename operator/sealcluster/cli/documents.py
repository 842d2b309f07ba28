"""Manifests: one SealCluster, and the Secrets and ConfigMaps that it refers to, as one would give them to kubectl."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sealcluster.api import InvalidSealCluster, SealCluster, parse, validate
from sealcluster.cli import texts
from sealcluster.cli.build_spec import reference
from sealcluster.core.errors import TerminalError


@dataclass(frozen=True)
class Manifests:
    """What a file holds."""

    cluster: SealCluster
    texts: Mapping[tuple[str, str], Mapping[str, str]] = field(default_factory=dict, repr=False)
    """Secrets and ConfigMaps by (kind, name)."""


def read(path: Path) -> Manifests:
    """Read and validate a file (- reads standard input). Raises InvalidSealCluster with everything that is wrong."""
    source, text = texts.source_of(path), texts.read(path)
    try:
        documents = [d for d in yaml.safe_load_all(text) if d is not None]
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "cannot be parsed"
        raise _bad(f"reading {source}: {f'line {mark.line + 1}: ' if mark else ''}it is not YAML ({problem})") from None
    clusters: list[Mapping[str, Any]] = []
    given: dict[tuple[str, str], Mapping[str, str]] = {}
    for number, document in enumerate(documents, 1):
        kind = document.get("kind") if isinstance(document, dict) else None
        if kind in ("Secret", "ConfigMap"):
            metadata = document.get("metadata")
            name = str(metadata.get("name") or "") if isinstance(metadata, dict) else ""
            given[kind, name] = _texts(document, f"{kind} {name or number} in {source}")
        elif kind == "SealCluster":
            clusters.append(document)
        elif kind == "Cluster":
            raise _bad(f"reading {source}: document {number} is a sealos Cluster", "convert it first: sealcluster convert -f")
        else:
            raise _bad(
                f"reading {source}: document {number} is {f'of kind {kind}' if kind else 'no manifest'}",
                "only SealCluster, Secret and ConfigMap are read",
            )
    if len(clusters) != 1:
        raise _bad(f"reading {source}: it holds {len(clusters) or 'no'} SealClusters, expected one")
    return Manifests(checked(clusters[0]), given)


def checked(document: Mapping[str, Any]) -> SealCluster:
    """The SealCluster of a document, with archives' paths made absolute. Raises InvalidSealCluster with everything that is wrong."""
    cluster = parse(document)
    problems = validate(cluster.spec)
    if problems:
        raise InvalidSealCluster(problems)
    images = tuple(image.model_copy(update={"ref": reference(image.ref, "oci-archive")}) for image in cluster.spec.images)
    # An object that was printed while it was being deleted is a wish for a cluster all the same.
    metadata = cluster.metadata.model_copy(update={"deletion_timestamp": None})
    return cluster.model_copy(update={"metadata": metadata, "spec": cluster.spec.model_copy(update={"images": images})})


def _texts(document: Mapping[str, Any], source: str) -> dict[str, str]:
    data, plain = document.get("data") or {}, document.get("stringData") or {}
    try:
        if document["kind"] == "ConfigMap":
            return {str(key): str(value) for key, value in data.items()}
        decoded = {str(key): base64.b64decode(value, validate=True).decode() for key, value in data.items()}
        return {**decoded, **{str(key): str(value) for key, value in plain.items()}}
    except (binascii.Error, ValueError, TypeError, AttributeError):
        # The parser's own message would quote the value.
        raise _bad(f"reading {source}: its data are not base64 of text") from None


def _bad(text: str, hint: str = "") -> TerminalError:
    return TerminalError(text, reason="InvalidSpec", hint=hint)
