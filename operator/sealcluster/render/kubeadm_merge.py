"""How two layers of configuration become one: maps deeply, flags by name, volumes by name or mount path, names as a set.

sealos appends every list to every other, so flags, volumes and names appear twice; here a later layer replaces what it names.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

_SETS = ("certSANs", "serverCertSANs", "peerCertSANs", "ignorePreflightErrors", "skipPhases", "excludeCIDRs")
_FLAGS = ("extraArgs", "kubeletExtraArgs")
_NAMED = ("extraEnvs",)


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid upon `base`; neither is changed. Lists that are none of the special ones are replaced whole."""
    merged = {key: copy.deepcopy(value) for key, value in base.items()}
    for key, value in over.items():
        merged[key] = _merge_value(key, merged.get(key), copy.deepcopy(value))
    return merged


def union(*lists: Iterable[Any]) -> list[Any]:
    """All values, each once, in the order of their first appearance."""
    return list(dict.fromkeys(value for values in lists for value in values))


def _merge_value(key: str, old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return merge(old, new)
    if not (isinstance(old, list) and isinstance(new, list)):
        return new
    if key in _SETS:
        return union(old, new)
    if key in _FLAGS or key in _NAMED:
        named = {entry["name"] for entry in new}
        return [entry for entry in old if entry["name"] not in named] + new
    if key == "extraVolumes":
        names = {volume.get("name") for volume in new}
        paths = {volume.get("mountPath") for volume in new}
        return [v for v in old if v.get("name") not in names and v.get("mountPath") not in paths] + new
    return new
