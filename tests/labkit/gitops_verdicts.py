"""Every version of an object that the API server had, and what an Application may have said meanwhile."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]


@dataclass(frozen=True)
class Version:
    """An object as it was; None stands for: gone."""

    order: int
    """Versions of all objects of one etcd are counted together: a smaller number was written earlier."""
    name: str
    obj: Object | None


def is_ready(obj: Object) -> bool:
    """Ready about the generation that it has."""
    status = obj.get("status", {})
    if status.get("observedGeneration") != obj["metadata"]["generation"]:
        return False
    return any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", []))


def never_early(applications: Sequence[Version], clusters: Sequence[Version], generations: Mapping[str, int]) -> None:
    """Whoever says Synced and Healthy about a revision had a SealCluster before that was Ready for what that revision says.

    `generations`: the SealCluster's generation that each revision led to. AssertionError also where nothing was said of one of them.
    """
    said = set()
    for version in applications:
        status = (version.obj or {}).get("status", {})
        sync, health = status.get("sync", {}), status.get("health", {}).get("status")
        revision = sync.get("revision")
        if (sync.get("status"), health) != ("Synced", "Healthy") or revision not in generations:
            continue
        wanted = generations[revision]
        before = [v.obj for v in clusters if v.order < version.order and v.obj is not None]
        ready = [obj for obj in before if is_ready(obj) and obj["metadata"]["generation"] >= wanted]
        assert ready, f"Healthy about {revision} (generation {wanted}) at {version.order}, and the SealCluster was not Ready for it yet"
        said.add(revision)
    assert said == set(generations), f"never Synced and Healthy: {set(generations) - said}"


def healths(applications: Sequence[Version], revision: str) -> list[str]:
    """What an Application said, one after another, while this revision was the newest that it knew."""
    known = [v.obj["status"] for v in applications if v.obj and v.obj.get("status", {}).get("sync", {}).get("revision") == revision]
    return [health for health, _ in itertools.groupby(status.get("health", {}).get("status", "") for status in known)]
