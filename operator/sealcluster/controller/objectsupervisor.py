"""One task per SealCluster: hands what is wanted to an engine, has told what it reports, holds the finalizer. No decisions of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from sealcluster.api import FINALIZER, RETRY_ANNOTATION, DeletionPolicy, InvalidSealCluster, SealCluster, parse
from sealcluster.api.conditions import Reason
from sealcluster.api.field_errors import FieldError
from sealcluster.api.validation import validate
from sealcluster.api.validation_change import validate_change
from sealcluster.controller.durations import PhaseDurations
from sealcluster.controller.finalizer import Finalizer
from sealcluster.controller.supervisor_port import Adapters
from sealcluster.controller.voice import Voice
from sealcluster.core.errors import Fenced, SealError
from sealcluster.engine import Desired, Engine, Report
from sealcluster.engine.origin import origin
from sealcluster.engine.pace import Pace
from sealcluster.kube.client import KubeClient
from sealcluster.kube.events import EventRecorder
from sealcluster.kube.management import KubeManagement
from sealcluster.kube.status import StatusWriter

log = logging.getLogger("sealcluster.controller")

Body = Mapping[str, Any]
RESTART_SECONDS = 10.0


class ObjectSupervisor:
    """One SealCluster."""

    def __init__(self, client: KubeClient, adapters: Adapters, instance: str, body: Body, durations: PhaseDurations, pace: Pace) -> None:
        meta = body["metadata"]
        self.namespace, self.name, self.uid = str(meta["namespace"]), str(meta["name"]), str(meta["uid"])
        self.report: Report | None = None
        self._client = client
        self._adapters = adapters
        self._instance = instance
        self._pace = pace
        self._body: Body = body
        self._changed = asyncio.Event()
        self._management = KubeManagement(client, self.namespace, self.name)
        self._events = EventRecorder(client, adapters.clock, self.namespace, self.name, self.uid, instance)
        self._voice = Voice(body, self._events, adapters.clock, durations)
        self._finalizer = Finalizer(client, self.namespace, self.name, self.uid)
        self._engine: Engine | None = None
        self._engine_task: asyncio.Task[Report] | None = None
        self._made_from: Mapping[str, str] = {}
        """What is built into the cluster; empty while it is not known to exist."""
        self._untold = ""
        """Why the last report could not be told."""
        self._fenced = False
        self._purged = False
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
        if self._voice.writer is not None:
            self._voice.writer.seen(body)
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
            self._voice.writer = writer
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
        meta = self._body["metadata"]
        generation = int(meta.get("generation", 1))
        self._voice.seen(generation, deleting=bool(meta.get("deletionTimestamp")))
        if self._purged:
            await self._let_go()  # again: the API server did not take it the first time
            return
        try:
            cluster = parse(self._body)
        except InvalidSealCluster as error:
            if meta.get("deletionTimestamp") and await self._asks_for_nothing():
                await self._let_go()
            else:
                await self._refuse(error.errors[0].reason, _listed(error.errors))
            return
        if cluster.deleting:
            if await self._gone_without_an_engine(cluster):
                return
        else:
            await self._take_answer(self._finalizer.hold)
            problems = validate(cluster.spec) or await self._change_errors(cluster)
            if problems:
                await self._refuse(problems[0].reason, _listed(problems))
                return
        desired = self._desired(cluster, generation)
        if self._engine is None and not self._fenced:
            self._start_engine(desired)
        elif self._engine is not None:
            self._engine.update(desired)

    async def _asks_for_nothing(self) -> bool:
        """True for the deletion of an object that nobody can read when nothing on a machine is asked for, or none was touched: it must not
        stay for ever."""
        return (self._body.get("spec") or {}).get("deletionPolicy") != "Reset" or not await self._on_record()

    async def _gone_without_an_engine(self, cluster: SealCluster) -> bool:
        """True for a deletion that needs no machine to be cleaned."""
        if cluster.spec.deletion_policy is DeletionPolicy.RETAIN and not cluster.spec.paused:
            await self._retain()
        elif self._engine is None and not await self._on_record():
            # Never touched, or purged by one who was killed then. An engine would begin with a record, which the API server refuses
            # in a namespace that is being deleted.
            if cluster.spec.paused:
                self._voice.going(paused=True)
            else:
                await self._management.purge()
                await self._let_go()
        else:
            return False
        return True

    async def _retain(self) -> None:
        self._voice.going()  # before anything is awaited: in one write with the new generation
        await self._stop_engine()
        if FINALIZER in (self._body["metadata"].get("finalizers") or ()):
            await self._events.normal(
                "Retained",
                "the cluster keeps running; its state and authorities stay in Secrets: apply the same object to take it up again",
            )
        await self._let_go()

    async def _on_record(self) -> bool:
        """False when no machine was ever touched for this cluster, or all were released."""
        record, _ = await self._management.load_state()
        return record is not None

    async def _change_errors(self, cluster: SealCluster) -> list[FieldError]:
        """What may not change once the cluster exists, against its state record: it was made from that, whatever was refused or taken on since."""
        report = self.report
        if not self._made_from and report is not None and report.view.initialized:
            self._made_from = report.view.state.made_from
        if not self._made_from and self._engine is None:
            self._made_from = await origin(self._management, cluster.spec)
        return validate_change(self._made_from, cluster.spec)

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
        self._voice.resume()
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
            await self._let_go()
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
        self._voice.trouble(reason, message)
        await self._adapters.clock.sleep(RESTART_SECONDS)
        self._changed.set()

    def _on_report(self, report: Report) -> None:
        """A report that cannot be told must not stop the work on machines, or the next one would meet the same again and again."""
        self.report = report
        try:
            self._voice.report(report)
            self._untold = ""
        except Exception as error:
            message = f"making the status: {type(error).__name__}: {error}"
            if message != self._untold:
                log.exception("%s", message, extra=self._extra())
            self._untold = message
            self._voice.trouble(Reason.INTERNAL_ERROR, message)

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

    async def _refuse(self, reason: Reason, message: str) -> None:
        """A spec that cannot be used: said, and nothing else done until it changes."""
        await self._stop_engine()
        self._voice.refuse(reason, message)

    async def _let_go(self) -> None:
        """Nothing is held on machines any more: said, for another finalizer may keep the object, and ours taken away."""
        self._voice.going()
        await self._stop_engine()
        await self._take_answer(self._finalizer.release)

    async def _take_answer(self, ask: Callable[[Body], Awaitable[Body | None]]) -> None:
        """Go on with the object as the API server answers it, unless an event came before the answer: that may tell of a later version."""
        asked = self._body
        answer = await ask(asked)
        if answer is not None and self._body is asked:
            self._body = answer

    def _extra(self) -> dict[str, str]:
        return {"cluster": f"{self.namespace}/{self.name}"}


def _listed(errors: Sequence[FieldError]) -> str:
    """The first few, whole."""
    more = f" (and {len(errors) - 3} more)" if len(errors) > 3 else ""
    return "; ".join(str(e) for e in errors[:3]) + more


def _released(report: Report) -> bool:
    return report.released
