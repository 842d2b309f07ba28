"""What every version of an object's status must keep, seen as any reader of the API sees it."""

from __future__ import annotations

from datetime import datetime
from typing import Any


class StatusHistory:
    """Feed it every version of one SealCluster, in order; it says what was wrong with each."""

    def __init__(self) -> None:
        self._uid = ""
        self._observed = -1
        self._times: dict[str, tuple[str, str]] = {}
        """By condition: status and since when."""
        self._newest = ""
        """The latest moment that the version before tells of: what it says still held then."""

    def seen(self, body: dict[str, Any], now: str) -> list[str]:
        """Broken rules; `now` is the time as the API writes it."""
        metadata, status = body["metadata"], body.get("status") or {}
        if metadata["uid"] != self._uid:
            self._uid, self._observed, self._times, self._newest = metadata["uid"], -1, {}, ""
        found = []
        observed = int(status.get("observedGeneration", -1))
        if observed > metadata["generation"]:
            found.append(f"observedGeneration {observed} is ahead of generation {metadata['generation']}")
        if observed < self._observed:
            found.append(f"observedGeneration fell from {self._observed} to {observed}")
        self._observed = max(self._observed, observed)
        conditions = {c["type"]: c for c in status.get("conditions") or ()}
        true = {kind for kind, c in conditions.items() if c["status"] == "True"}
        if {"Reconciling", "Stalled"} <= true:
            found.append("Reconciling and Stalled are both True")
        if "Ready" in true:
            found += [f"Ready and {other} are both True" for other in ("Reconciling", "Stalled", "Deleting") if other in true]
        for kind, condition in conditions.items():
            found += self._times_of(kind, condition, now)
            if condition.get("observedGeneration", 0) > observed:
                found.append(f"{kind} is about generation {condition['observedGeneration']}, the status about {observed}")
        self._newest = max((c["lastTransitionTime"] for c in conditions.values()), default="")
        return found

    def _times_of(self, kind: str, condition: dict[str, Any], now: str) -> list[str]:
        """A condition that went there and back between two writes keeps its status and has a new time; nothing else moves it."""
        status, since = condition["status"], condition["lastTransitionTime"]
        before = self._times.get(kind)
        self._times[kind] = (status, since)
        if since > now:
            return [f"{kind}: lastTransitionTime {since} is ahead of {now}"]
        if before is not None and since < before[1]:
            return [f"{kind}: lastTransitionTime fell from {before[1]} to {since}"]
        if before is not None and status != before[0] and since == before[1] and not self._twice_in_a_second(since, now):
            return [f"{kind} became {status} and its lastTransitionTime stayed {since}"]
        return []

    def _twice_in_a_second(self, since: str, now: str) -> bool:
        """May it have flipped again within the very second in which it had flipped? Times have no more than seconds.

        Whoever flips a condition writes that at once, so it is seen in the same second or, near its end, in the next one. And nothing
        that was told before may be of a later moment: the old status still held then.
        """
        age = (datetime.fromisoformat(now) - datetime.fromisoformat(since)).total_seconds()
        return age <= 1 and self._newest <= since


def condition(body: dict[str, Any], kind: str) -> tuple[str, str]:
    """Status and reason; empty when there is no such condition."""
    for row in (body.get("status") or {}).get("conditions") or ():
        if row["type"] == kind:
            return str(row["status"]), str(row["reason"])
    return "", ""
