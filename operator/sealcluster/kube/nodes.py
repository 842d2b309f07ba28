"""Node and Deployment objects as facts; and changes of a Node as patches. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sealcluster.core.facts import NodeFacts

CONTROL_PLANE_LABEL = "node-role.kubernetes.io/control-plane"
CONTROL_PLANE_TAINTS = frozenset({"node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"})
TAINTS_ANNOTATION = "sealcluster.io/taints"
"""On a Node: JSON list of [key, effect] that we put there, so that taints of others are left alone."""
LABELS_ANNOTATION = "sealcluster.io/labels"
"""On a Node: JSON list of the keys of labels that we put there, so that one that is not wanted any more goes."""

Taint = tuple[str, str, str]


def node_facts(node: Mapping[str, Any]) -> NodeFacts:
    """What decisions need of a Node."""
    metadata, spec, status = node["metadata"], node.get("spec") or {}, node.get("status") or {}
    ready: Mapping[str, Any] = next((c for c in status.get("conditions") or () if c.get("type") == "Ready"), {})
    labels = metadata.get("labels") or {}
    annotations = metadata.get("annotations") or {}
    return NodeFacts(
        name=metadata["name"],
        uid=metadata["uid"],
        ready=ready.get("status") == "True",
        message=str(ready.get("message") or ("" if ready else "the kubelet has not reported yet")),
        version=str((status.get("nodeInfo") or {}).get("kubeletVersion") or ""),
        addresses=frozenset(a["address"] for a in status.get("addresses") or () if a.get("type") != "Hostname"),
        unschedulable=bool(spec.get("unschedulable")),
        labels=dict(labels),
        taints=tuple(_taint(t) for t in spec.get("taints") or ()),
        our_labels=_recorded_labels(annotations.get(LABELS_ANNOTATION)),
        our_taints=_recorded(annotations[TAINTS_ANNOTATION]) if TAINTS_ANNOTATION in annotations else None,
        control_plane=CONTROL_PLANE_LABEL in labels,
    )


def dns_ready(deployments: Sequence[Mapping[str, Any]]) -> bool:
    """True when one of them has a Ready pod, or there are none."""
    return not deployments or any(((d.get("status") or {}).get("readyReplicas") or 0) > 0 for d in deployments)


def node_patch(node: Mapping[str, Any], labels: Mapping[str, str | None], taints: Sequence[Taint] | None) -> dict[str, Any]:
    """A merge patch, valid for this version of the Node only; empty when nothing has to change.

    `labels` is the complete mapping of ours, None for one that goes: their keys are recorded on the Node.
    `taints` is the complete list of ours: what we put there before and the control plane's own taint go when they are not in it;
    those of the node controller, of cloud providers and of people stay.
    """
    metadata, spec = node["metadata"], node.get("spec") or {}
    have = metadata.get("labels") or {}
    changed = {key: value for key, value in labels.items() if have.get(key) != value}
    patch: dict[str, Any] = {"metadata": {"labels": changed}} if changed else {}
    known, kept = (metadata.get("annotations") or {}).get(LABELS_ANNOTATION), sorted(k for k, v in labels.items() if v is not None)
    if (record := json.dumps(kept) if kept else None) != known:
        patch.setdefault("metadata", {})["annotations"] = {LABELS_ANNOTATION: record}
    if taints is not None:
        recorded = (metadata.get("annotations") or {}).get(TAINTS_ANNOTATION)
        wanted = _merged(spec.get("taints") or (), _recorded(recorded), taints)
        record = json.dumps(sorted([key, effect] for key, _, effect in taints))
        if [_taint(t) for t in wanted] != [_taint(t) for t in spec.get("taints") or ()]:
            patch["spec"] = {"taints": wanted}
        if record != recorded:
            patch.setdefault("metadata", {}).setdefault("annotations", {})[TAINTS_ANNOTATION] = record
    if patch:
        patch.setdefault("metadata", {})["resourceVersion"] = metadata["resourceVersion"]
    return patch


def _merged(present: Sequence[Mapping[str, Any]], ours: frozenset[tuple[str, str]], wanted: Sequence[Taint]) -> list[dict[str, Any]]:
    """Theirs in their order, then ours that were there in their order, then the new ones."""
    by_key = {(key, effect): value for key, value, effect in wanted}
    kept: list[dict[str, Any]] = []
    for taint in present:
        key = (taint["key"], taint["effect"])
        if key in by_key:
            kept.append({**taint, "value": by_key.pop(key)})
        elif key not in ours and taint["key"] not in CONTROL_PLANE_TAINTS:
            kept.append(dict(taint))
    return kept + [{"key": key, "value": value, "effect": effect} for (key, effect), value in by_key.items()]


def _taint(taint: Mapping[str, Any]) -> Taint:
    return taint["key"], str(taint.get("value") or ""), taint["effect"]


def _recorded(annotation: str | None) -> frozenset[tuple[str, str]]:
    try:
        return frozenset((str(key), str(effect)) for key, effect in json.loads(annotation or "[]"))
    except (ValueError, TypeError):
        return frozenset()  # somebody wrote over it: what we do not know to be ours stays


def _recorded_labels(annotation: str | None) -> frozenset[str]:
    try:
        keys = json.loads(annotation or "[]")
    except ValueError:
        return frozenset()
    return frozenset(key for key in keys if isinstance(key, str)) if isinstance(keys, list) else frozenset()
