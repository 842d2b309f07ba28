"""Manifests for tests: the table of bad examples and a way to lay one spec over another."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
TABLE: dict[str, Any] = yaml.safe_load((ROOT / "tests/unit/api/bad.yaml").read_text())
BAD: list[dict[str, Any]] = TABLE["bad"]


def overlaid(base: Any, over: Any) -> Any:
    """`over` laid over `base`: maps are merged, None removes, anything else replaces."""
    if not isinstance(base, Mapping) or not isinstance(over, Mapping):
        return over
    merged = {**base, **{key: overlaid(base.get(key), value) for key, value in over.items()}}
    return {key: value for key, value in merged.items() if value is not None}


def manifest(spec: Mapping[str, Any] | None = None, name: str = "test") -> dict[str, Any]:
    """A good SealCluster with `spec` laid over it."""
    return {
        "apiVersion": "sealcluster.io/v1alpha1",
        "kind": "SealCluster",
        "metadata": {"name": name},
        "spec": overlaid(TABLE["base"], spec or {}),
    }
