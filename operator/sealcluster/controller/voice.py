"""What people are told of one object: its status and its events. An operator that comes back goes on where the last one stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sealcluster.api import SealClusterStatus, compact
from sealcluster.api.conditions import ConditionType as C
from sealcluster.api.conditions import Reason
from sealcluster.api.status import Condition, ConditionStatus
from sealcluster.api.summary import Account, Finding, Note, begin, phase_word, set_conditions, summarize
from sealcluster.controller.durations import PhaseClock, PhaseDurations
from sealcluster.controller.inherited import inherited_status, only_looks
from sealcluster.controller.story import Story
from sealcluster.core.ports import Clock
from sealcluster.engine import Report
from sealcluster.engine.status import make_status
from sealcluster.kube.events import EventRecorder
from sealcluster.kube.status import StatusWriter
from sealcluster.render.fingerprint import fingerprint


class Voice:
    """Makes statuses and events of what happens. It speaks once `writer` is there."""

    def __init__(self, body: Mapping[str, Any], events: EventRecorder, clock: Clock, durations: PhaseDurations) -> None:
        self.writer: StatusWriter | None = None
        self._events = events
        self._clock = clock
        self._durations = durations
        found = inherited_status(body)
        self._conditions: tuple[Condition, ...] = found.conditions
        self._failure = found.last_failure
        self._seen = found
        """What was seen last; it stays shown while a new generation of the spec has not been looked at."""
        self._phases = PhaseClock(found)
        status = body.get("status") or {}
        generation = int(body["metadata"].get("generation", 1))
        known = status.get("observedGeneration") == generation and {c.type for c in self._conditions} >= set(C)
        self._generation = generation if known else -1
        self._resuming = known and any(c.type == C.READY and c.status is ConditionStatus.TRUE for c in self._conditions)
        """What an operator before us said of this generation holds until we have looked ourselves."""
        self._deleting = False
        self._story = Story()
        self._refused = ("", "")
        """What was told of a spec that cannot be used."""
        self._clusterfile: str | None = status.get("clusterfile")
        """The last one that could be made: an operator that has just started does not know the images yet."""
        self._pending_events: set[asyncio.Task[None]] = set()

    def seen(self, generation: int, *, deleting: bool) -> None:
        """The object as it is now; of a new generation nothing that was said before holds."""
        self._deleting = deleting
        if generation == self._generation:
            return
        self._generation = generation
        self._story.forget()
        self._refused = ("", "")
        self._conditions = begin(self._conditions, generation, self._now())
        self._offer_conditions()

    def resume(self) -> None:
        """An engine is about to work on it."""
        self._phases.resume()

    def report(self, report: Report) -> None:
        """What an engine reports."""
        if self._resuming and only_looks(report):
            return
        self._resuming = False
        keys = {h.name: fingerprint(h.host_key or (h.row.host_key if h.row else "")) for h in report.view.hosts.values()}
        known = {name: value for name, value in keys.items() if value}
        status = make_status(report, self._conditions, self._now(), fingerprints=known, failure=self._failure)
        self._conditions, self._failure = status.conditions, status.last_failure
        self._clusterfile = status.clusterfile or self._clusterfile
        self._durations.add(self._phases.seen(report, self._now()))
        progress = status.progress and status.progress.model_copy(update={"under_way": self._phases.under_way})
        status = status.model_copy(update={"clusterfile": self._clusterfile, "progress": progress})
        self._seen = compact(status, report.view.spec.hosts)
        self._offer(self._seen)
        for told in self._story.new(report):
            self._event(told.reason, told.text, warning=told.warning)

    def refuse(self, reason: Reason, message: str) -> None:
        """The spec cannot be used; no engine works on it."""
        self._durations.add(self._phases.interrupt(self._now()))
        details = {C.SPEC_VALID: Finding.false(reason, message)}
        self._tell(Account(details=details, blocked=Note(reason, message), deleting=self._deleting))
        if self._refused != (str(reason), message):
            self._refused = (str(reason), message)
            self._event(str(reason), message, warning=True)

    def trouble(self, reason: Reason, message: str) -> None:
        """Something that may pass."""
        note = Note(Reason.PROGRESSING_WITH_RETRY, f"{message}; trying again")
        self._tell(Account(working=note, details={C.AVAILABLE: Finding.unknown(reason, message)}, deleting=self._deleting))

    def going(self, *, paused: bool = False) -> None:
        """It is being deleted and no engine works on it: nothing is held on machines, or `paused` holds up even that."""
        self._durations.add(self._phases.interrupt(self._now()))
        self._tell(Account(applied=not paused, paused=paused, deleting=True))

    def _event(self, reason: str, text: str, *, warning: bool) -> None:
        record = self._events.warning if warning else self._events.normal
        task = asyncio.create_task(record(reason, text))
        self._pending_events.add(task)
        task.add_done_callback(self._pending_events.discard)

    def _tell(self, account: Account) -> None:
        self._conditions = set_conditions(self._conditions, summarize(account), self._generation, self._now())
        self._offer_conditions()

    def _offer_conditions(self) -> None:
        word = phase_word(self._conditions)
        told = {"observed_generation": self._generation, "conditions": self._conditions, "phase": word, "plan": None, "progress": None}
        self._offer(self._seen.model_copy(update=told))

    def _offer(self, status: SealClusterStatus) -> None:
        assert self.writer is not None
        self.writer.offer(status.model_dump(mode="json", by_alias=True, exclude_none=True))

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)
