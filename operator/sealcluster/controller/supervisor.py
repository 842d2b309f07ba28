"""One task per SealCluster: hands what is wanted to an engine, writes what it reports, holds the finalizer. No decisions of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sealcluster.api import FINALIZER, RETRY_ANNOTATION, DeletionPolicy, InvalidSealCluster, SealCluster, SealClusterStatus, compact, parse
from sealcluster.api.conditions import ConditionType as C
from sealcluster.api.conditions import Reason
from sealcluster.api.field_errors import FieldError
from sealcluster.api.status import Condition, ConditionStatus
from sealcluster.api.summary import Account, Finding, Note, begin, phase_word, set_conditions, summarize
from sealcluster.api.validation import validate, validate_change
from sealcluster.controller.durations import Histogram, PhaseClock, PhaseDurations
from sealcluster.controller.inherited import inherited_status, only_looks
from sealcluster.controller.story import Story
from sealcluster.controller.supervisor_port import Adapters
from sealcluster.core.errors import Fenced, SealError
from sealcluster.engine import Desired, Engine, Report
from sealcluster.engine.pace import Pace
from sealcluster.engine.status import make_status
from sealcluster.kube.client import JSON_PATCH, KubeClient
from sealcluster.kube.errors import Conflict, NotFound
from sealcluster.kube.events import EventRecorder
from sealcluster.kube.management import KubeManagement
from sealcluster.kube.resources import SEALCLUSTERS
from sealcluster.kube.status import StatusWriter
from sealcluster.render.fingerprint import fingerprint

log = logging.getLogger("sealcluster.controller")

Body = Mapping[str, Any]
RESTART_SECONDS = 10.0


class Supervisor:
    """All objects of this process. `object_seen` and `object_gone` may be called as often as events arrive."""

    def __init__(self, client: KubeClient, adapters: Adapters, instance: str) -> None:
        self._client = client
        self._adapters = adapters
        self._instance = instance
        self._durations = PhaseDurations()
        self._pace = Pace()
        self._objects: dict[tuple[str, str], ObjectSupervisor] = {}

    def object_seen(self, body: Body) -> None:
        """A SealCluster as the API server has it now."""
        meta = body["metadata"]
        key = (meta["namespace"], meta["name"])
        known = self._objects.get(key)
        if known is not None and (known.uid != meta["uid"] or known.done):
            known.stop()
            known = None
        if known is None:
            known = ObjectSupervisor(self._client, self._adapters, self._instance, body, self._durations, self._pace)
            self._objects[key] = known
        known.offer(body)

    def object_gone(self, namespace: str, name: str) -> None:
        """It was deleted and nothing holds it any more."""
        known = self._objects.pop((namespace, name), None)
        if known is not None:
            known.stop()

    @property
    def healthy(self) -> bool:
        """False when a task of ours ended that should not have: the liveness probe restarts us."""
        return not any(o.broken for o in self._objects.values())

    def reports(self) -> list[Report]:
        """The last report of each object, for metrics."""
        return [o.report for o in self._objects.values() if o.report is not None]

    def traffic(self) -> Mapping[str, int]:
        """What went over SSH so far, for metrics."""
        return self._adapters.traffic()

    def durations(self) -> Mapping[tuple[str, str], Histogram]:
        """How long phases took, by phase and outcome, for metrics."""
        return self._durations.found()

    async def close(self) -> None:
        """Let go of every cluster; what runs on machines goes on there."""
        for known in self._objects.values():
            known.stop()
        await asyncio.gather(*(o.ended() for o in self._objects.values()))
        self._objects.clear()


class ObjectSupervisor:
    """One SealCluster."""

    def __init__(self, client: KubeClient, adapters: Adapters, instance: str, body: Body, durations: PhaseDurations, pace: Pace) -> None:
        meta = body["metadata"]
        self.namespace, self.name, self.uid = str(meta["namespace"]), str(meta["name"]), str(meta["uid"])
        self.report: Report | None = None
        self._client = client
        self._adapters = adapters
        self._instance = instance
        self._body: Body = body
        self._changed = asyncio.Event()
        self._management = KubeManagement(client, self.namespace, self.name)
        self._events = EventRecorder(client, adapters.clock, self.namespace, self.name, self.uid, instance)
        found = inherited_status(body)
        self._conditions: tuple[Condition, ...] = found.conditions
        self._failure = found.last_failure
        self._phases = PhaseClock(found)
        self._durations = durations
        self._pace = pace
        self._engine: Engine | None = None
        self._engine_task: asyncio.Task[Report] | None = None
        self._writer: StatusWriter | None = None
        status = body.get("status") or {}
        known = status.get("observedGeneration") == meta.get("generation", 1) and {c.type for c in self._conditions} >= set(C)
        self._seen_generation = int(meta.get("generation", 1)) if known else -1
        self._resuming = known and any(c.type == C.READY and c.status is ConditionStatus.TRUE for c in self._conditions)
        """What an operator before us said of this generation holds until we have looked ourselves."""
        self._story = Story()
        self._refused = ("", "")
        """What was told of a spec that cannot be used."""
        self._pending_events: set[asyncio.Task[None]] = set()
        self._fenced = False
        self._purged = False
        self._clusterfile: str | None = status.get("clusterfile")
        """The last one that could be made: an operator that has just started does not know the images yet."""
        self._task = asyncio.create_task(self._run(), name=f"{self.namespace}/{self.name}")

    @property
    def done(self) -> bool:
        """True when the task ended without a fault: the object it looked after is gone."""
        return self._task.done() and not self.broken

    @property
    def broken(self) -> bool:
        """True when the task ended with an exception."""
        return self._task.done() and not self._task.cancelled() and self._task.exception() is not None

    def offer(self, body: Body) -> None:
        """The newest version of the object."""
        self._body = body
        if self._writer is not None:
            self._writer.seen(body)
        self._changed.set()

    def stop(self) -> None:
        """End the task."""
        self._task.cancel()

    async def ended(self) -> None:
        """Wait until it ended."""
        await asyncio.wait({self._task})

    # --- the task ----------------------------------------------------------------------------------------------
    async def _run(self) -> None:
        status = self._body.get("status") or {}
        async with StatusWriter(self._client, self._adapters.clock, self.namespace, self.name, self.uid, status, self._ours) as writer:
            self._writer = writer
            try:
                while not writer.gone:
                    self._changed.clear()
                    try:
                        await self._turn()
                        await self._wait()
                    except SealError as error:  # the API server refused or did not answer: this object waits, the others go on
                        await self._trouble(Reason(error.reason), error.message)
            finally:
                await self._stop_engine()

    async def _wait(self) -> None:
        waiter = asyncio.create_task(self._changed.wait())
        tasks: set[asyncio.Task[Any]] = {waiter}
        if self._engine_task is not None:
            tasks.add(self._engine_task)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiter.cancel()
        if self._engine_task is not None and self._engine_task.done():
            await self._engine_ended()

    async def _turn(self) -> None:
        if self._fenced:
            await self._stop_engine()
            return  # another operator's word counts, also about what is to be said
        if self._purged:
            await self._release()  # again: the API server did not take it the first time
            return
        generation = int(self._body["metadata"].get("generation", 1))
        if generation != self._seen_generation:
            self._seen_generation = generation
            self._story.forget()
            self._refused = ("", "")
            self._conditions = begin(self._conditions, generation, self._now())
            self._offer(SealClusterStatus(observed_generation=generation, conditions=self._conditions, phase=phase_word(self._conditions)))
        try:
            cluster = parse(self._body)
        except InvalidSealCluster as error:
            first = error.errors[0]
            if self._body["metadata"].get("deletionTimestamp") and (self._body.get("spec") or {}).get("deletionPolicy") != "Reset":
                await self._release()  # nothing on a machine is asked for: an object that nobody can read must not stay for ever
                return
            await self._refuse(generation, first.reason, _listed(error.errors))
            return
        if not cluster.deleting:
            await self._hold()
        problems = [] if cluster.deleting else [*validate(cluster.spec), *self._change_errors(cluster)]
        if problems:
            await self._refuse(generation, problems[0].reason, _listed(problems))
            return
        if cluster.deleting and not cluster.spec.paused and cluster.spec.deletion_policy is DeletionPolicy.RETAIN:
            await self._stop_engine()
            await self._events.normal(
                "Retained",
                "the cluster keeps running; its state and authorities stay in Secrets: apply the same object to take it up again",
            )
            await self._release()
            return
        desired = self._desired(cluster, generation)
        if self._engine is None and not self._fenced:
            self._start_engine(desired)
        elif self._engine is not None:
            self._engine.update(desired)

    def _change_errors(self, cluster: SealCluster) -> list[FieldError]:
        """What may not change once the cluster exists, against the last spec that was taken on."""
        report = self.report
        if report is None or not report.view.initialized:
            return []
        return validate_change(report.view.spec, cluster.spec)

    def _desired(self, cluster: SealCluster, generation: int) -> Desired:
        annotations = dict(cluster.metadata.annotations)
        return Desired(
            name=self.name,
            namespace=self.namespace,
            generation=generation,
            spec=cluster.spec,
            deleting=cluster.deleting,
            annotations=annotations,
            retry=annotations.get(RETRY_ANNOTATION, ""),
        )

    # --- the engine --------------------------------------------------------------------------------------------
    def _start_engine(self, desired: Desired) -> None:
        ports = self._adapters.ports(self._management)
        engine = Engine(desired, ports, holder=self._instance, listener=self._on_report, pace=self._pace)
        self._phases.resume()
        self._engine = engine
        self._engine_task = asyncio.create_task(engine.run(_released), name=f"engine {self.namespace}/{self.name}")

    async def _stop_engine(self) -> None:
        if self._engine_task is not None:
            self._engine_task.cancel()
            await asyncio.wait({self._engine_task})
        self._engine = self._engine_task = None

    async def _engine_ended(self) -> None:
        task = self._engine_task
        assert task is not None
        self._engine = self._engine_task = None
        error = task.exception()
        if error is None:
            try:
                await self._management.purge()
            except SealError as failed:
                log.warning("%s; tried again", failed.message, extra=self._extra())
                await self._adapters.clock.sleep(RESTART_SECONDS)
                self._changed.set()
                return
            self._purged = True
            await self._events.normal("Released", "every machine was cleaned and verified")
            await self._release()
            return
        if isinstance(error, Fenced):
            self._fenced = True
            log.warning("%s", error.message, extra=self._extra())
            return
        reason, message = Reason.INTERNAL_ERROR, f"{type(error).__name__}: {error}"
        if isinstance(error, SealError):
            reason, message = Reason(error.reason), error.message
        else:
            log.error("the engine ended; it is started again", exc_info=error, extra=self._extra())
        await self._trouble(reason, message)

    async def _trouble(self, reason: Reason, message: str) -> None:
        """Something that may pass: said, and tried again after a while."""
        log.warning("%s; trying again", message, extra=self._extra())
        note = Note(Reason.PROGRESSING_WITH_RETRY, f"{message}; trying again")
        self._tell(Account(working=note, details={C.AVAILABLE: Finding.unknown(reason, message)}), self._seen_generation)
        await self._adapters.clock.sleep(RESTART_SECONDS)
        self._changed.set()

    def _on_report(self, report: Report) -> None:
        self.report = report
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
        self._offer(compact(status, report.view.spec.hosts))
        for told in self._story.new(report):
            self._event(told.reason, told.text, warning=told.warning)

    def _event(self, reason: str, text: str, *, warning: bool) -> None:
        record = self._events.warning if warning else self._events.normal
        task = asyncio.create_task(record(reason, text))
        self._pending_events.add(task)
        task.add_done_callback(self._pending_events.discard)

    async def _ours(self) -> bool:
        """False, and the end of our work, once another operator has taken the cluster over."""
        known = self.report.view.state if self.report is not None else None
        record, _ = await self._management.load_state() if known is not None else (None, "")
        if known is None or record is None or record.fence <= known.fence or record.holder == self._instance:
            return True
        log.warning("another operator (%s) took this cluster over", record.holder, extra=self._extra())
        self._fenced = True
        self._changed.set()
        return False

    # --- status and finalizer ------------------------------------------------------------------------------------
    async def _refuse(self, generation: int, reason: Reason, message: str) -> None:
        """A spec that cannot be used: said, and nothing else done until it changes."""
        await self._stop_engine()
        self._durations.add(self._phases.interrupt(self._now()))
        details = {C.SPEC_VALID: Finding.false(reason, message)}
        self._tell(Account(details=details, blocked=Note(reason, message)), generation)
        if self._refused != (str(reason), message):
            self._refused = (str(reason), message)
            self._event(str(reason), message, warning=True)

    def _tell(self, account: Account, generation: int) -> None:
        self._conditions = set_conditions(self._conditions, summarize(account), generation, self._now())
        self._offer(SealClusterStatus(observed_generation=generation, conditions=self._conditions, phase=phase_word(self._conditions)))

    def _offer(self, status: SealClusterStatus) -> None:
        assert self._writer is not None
        self._writer.offer(status.model_dump(mode="json", by_alias=True, exclude_none=True))

    async def _hold(self) -> None:
        """Add our finalizer before anything is touched; an object that was replaced may have lost it."""
        finalizers = list(self._body["metadata"].get("finalizers") or ())
        if FINALIZER not in finalizers:
            await self._set_finalizers([*finalizers, FINALIZER])

    async def _release(self) -> None:
        await self._set_finalizers([f for f in self._body["metadata"].get("finalizers") or () if f != FINALIZER])

    async def _set_finalizers(self, finalizers: list[str]) -> None:
        version = self._body["metadata"]["resourceVersion"]
        patch = [
            {"op": "test", "path": "/metadata/resourceVersion", "value": version},
            {"op": "add", "path": "/metadata/finalizers", "value": finalizers},
        ]
        for _ in range(5):
            try:
                self._body = await self._client.patch(SEALCLUSTERS, self.name, patch, self.namespace, content_type=JSON_PATCH)
                return
            except Conflict:
                fresh = await self._client.find(SEALCLUSTERS, self.name, self.namespace)
                if fresh is None or fresh["metadata"]["uid"] != self.uid:
                    return
                self._body = fresh
                patch[0]["value"] = fresh["metadata"]["resourceVersion"]
                present = [f for f in fresh["metadata"].get("finalizers") or () if f != FINALIZER]
                if FINALIZER in finalizers and fresh["metadata"].get("deletionTimestamp"):
                    return  # too late to hold it; the event of its deletion is on its way
                patch[1]["value"] = [*present, FINALIZER] if FINALIZER in finalizers else present
            except NotFound:
                return

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._adapters.clock.now(), UTC)

    def _extra(self) -> dict[str, str]:
        return {"cluster": f"{self.namespace}/{self.name}"}


def _listed(errors: Sequence[FieldError]) -> str:
    """The first few, whole."""
    more = f" (and {len(errors) - 3} more)" if len(errors) > 3 else ""
    return "; ".join(str(e) for e in errors[:3]) + more


def _released(report: Report) -> bool:
    return report.released
