"""Reading the JSON of etcd's gateway and of etcdctl."""

from __future__ import annotations

import json
from typing import Any

from sealcluster.core.facts import EtcdFacts, EtcdMember


def parse_etcd(status: str, members: str) -> EtcdFacts | None:
    """Status and member list, of the gateway (64-bit numbers as text) or of etcdctl; None when the member on this host does not answer.

    The list is read through the quorum, so a member that gives it is healthy; the status is the member's own.
    """
    try:
        return _read(_status(_load(status)), _load(members))
    except (AttributeError, TypeError, ValueError, OverflowError):
        return None  # no etcd says such a thing: nobody who is to be believed has answered


def _read(own: dict[str, Any], listed: Any) -> EtcdFacts | None:
    listed = listed if isinstance(listed, dict) else {}
    header = own.get("header", {}) or listed.get("header", {})
    if not header:
        return None
    rows = tuple(
        EtcdMember(
            id=format(int(row.get("ID", 0)), "x"),
            name=str(row.get("name", "")),
            learner=bool(row.get("isLearner", False)),
            peer_urls=tuple(str(url) for url in row.get("peerURLs", ())),
        )
        for row in listed.get("members", ())
    )
    return EtcdFacts(
        cluster_id=format(int(header.get("cluster_id", 0)), "x"),
        member_id=format(int(header.get("member_id", 0)), "x"),
        healthy=bool(rows) and not own.get("errors"),
        members=rows,
    )


def _load(content: str) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _status(value: Any) -> dict[str, Any]:
    """etcdctl wraps it: one for each endpoint that it was told to ask."""
    if isinstance(value, list):
        value = value[0].get("Status") if value and isinstance(value[0], dict) else None
    return value if isinstance(value, dict) else {}
