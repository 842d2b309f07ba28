"""Events of one object: each said once, repetitions counted, and never a flood."""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sealcluster.core.errors import SealError
from sealcluster.core.ports import Clock
from sealcluster.kube.client import KubeClient
from sealcluster.kube.errors import Conflict, NotFound
from sealcluster.kube.resources import EVENTS, SEALCLUSTERS

CONTROLLER = "sealcluster.io/operator"
LONGEST_NOTE = 1024
"""Characters, as the API allows."""
SAME_WITHIN = 1800.0
"""Seconds in which the same words count as a repetition; the API server forgets events after an hour."""
SERIES_INTERVAL = 60.0
"""Seconds between two writes of one repetition's count."""
BURST = 25
REFILL = 10.0
"""Seconds after which one more event may be written, once `BURST` were."""
REMEMBERED = 256

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Said:
    name: str
    first: float
    written: float
    count: int = 1


class EventRecorder:
    """Writes events about one SealCluster. Never raises: an event that cannot be written is logged, the work goes on."""

    def __init__(self, client: KubeClient, clock: Clock, namespace: str, name: str, uid: str, instance: str) -> None:
        self._client = client
        self._clock = clock
        self._namespace = namespace
        self._name = name
        self._instance = instance[:128]
        self._regarding = {
            "apiVersion": SEALCLUSTERS.api_version,
            "kind": SEALCLUSTERS.kind,
            "namespace": namespace,
            "name": name,
            "uid": uid,
        }
        self._said: OrderedDict[tuple[str, str, str], _Said] = OrderedDict()
        self._tokens = float(BURST)
        self._counted = clock.now()
        self.dropped = 0
        """Events that were over the rate."""

    async def normal(self, reason: str, note: str, action: str = "Reconcile") -> None:
        """Something worth knowing happened."""
        await self._record("Normal", reason, note, action)

    async def warning(self, reason: str, note: str, action: str = "Reconcile") -> None:
        """Something went wrong; `reason` is a member of `api.conditions.Reason`."""
        await self._record("Warning", reason, note, action)

    async def _record(self, kind: str, reason: str, note: str, action: str) -> None:
        note = note if len(note) <= LONGEST_NOTE else note[: LONGEST_NOTE - 1] + "…"
        key, now = (kind, reason, note), self._clock.now()
        said = self._said.get(key)
        try:
            if said is not None and now - said.first < SAME_WITHIN:
                await self._repeat(said, now)
            elif self._allowed(now):
                await self._first(key, action, now)
            else:
                self.dropped += 1
                log.info("dropping event %s of %s/%s: too many in a short time", reason, self._namespace, self._name)
        except SealError as error:
            log.warning("recording event %s: %s", reason, error)

    async def _first(self, key: tuple[str, str, str], action: str, now: float) -> None:
        name = f"{self._name[:200]}.{self._digest(key, now)}"
        said = self._said[key] = _Said(name, first=now, written=now)
        self._said.move_to_end(key)
        while len(self._said) > REMEMBERED:
            self._said.popitem(last=False)
        kind, reason, note = key
        body: dict[str, Any] = {
            "metadata": {"name": name, "namespace": self._namespace},
            "eventTime": _micro_time(now),
            "type": kind,
            "reason": reason,
            "note": note,
            "action": action,
            "regarding": self._regarding,
            "reportingController": CONTROLLER,
            "reportingInstance": self._instance,
        }
        try:
            await self._client.create(EVENTS, body, self._namespace)
        except Conflict:  # an operator before us, or ourselves in a request whose answer was lost, said it
            said.written = float("-inf")
            await self._repeat(said, now)

    def _digest(self, key: tuple[str, str, str], now: float) -> str:
        """The same words of the same half hour have the same name, whichever process says them."""
        words = "\0".join((self._regarding["uid"], *key, str(int(now // SAME_WITHIN))))
        return hashlib.sha256(words.encode()).hexdigest()[:16]

    async def _repeat(self, said: _Said, now: float) -> None:
        said.count += 1
        if now - said.written < SERIES_INTERVAL:
            return
        said.written = now
        series = {"series": {"count": said.count, "lastObservedTime": _micro_time(now)}}
        try:
            await self._client.patch(EVENTS, said.name, series, self._namespace)
        except NotFound:
            said.first = float("-inf")  # it expired: the next one is a first one again

    def _allowed(self, now: float) -> bool:
        self._tokens = min(float(BURST), self._tokens + (now - self._counted) / REFILL)
        self._counted = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def _micro_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
