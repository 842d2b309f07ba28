"""The operator as a whole: client, servers, event source and supervisor; started, watched and stopped together."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from sealcluster.api import GROUP, PLURAL, VERSION
from sealcluster.controller.durations import Histogram
from sealcluster.controller.event_source import EventSource
from sealcluster.controller.logs import configure
from sealcluster.controller.metrics import CONTENT_TYPE, Metrics
from sealcluster.controller.probes import ProbeServer
from sealcluster.controller.router import EventRouter
from sealcluster.controller.settings import Settings
from sealcluster.controller.supervisor_port import SupervisorFactory, SupervisorPort
from sealcluster.core.errors import SealError
from sealcluster.engine import Report
from sealcluster.kube.client import KubeClient
from sealcluster.kube.errors import NotFound
from sealcluster.kube.transport import Transport

CRD_POLL = 5.0
"""Seconds between two looks for our kind."""
RESTART_SECONDS = 5.0
"""Seconds before a watch that ended is started again."""

log = logging.getLogger(__name__)


class Operator:
    """Run it once. `port` is where its probes and metrics are."""

    def __init__(self, factory: SupervisorFactory, settings: Settings) -> None:
        self._factory = factory
        self._settings = settings
        self._supervisor: SupervisorPort | None = None
        self._source: EventSource | None = None
        self.port = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set."""
        settings = self._settings
        transport = await Transport.from_file(settings.kubeconfig) if settings.kubeconfig else Transport.in_cluster()
        metrics = Metrics(self._reports, self._traffic, self._durations)
        try:
            probes = ProbeServer(
                settings.listen_address,
                settings.listen_port,
                alive=self._not_alive,
                ready=self._not_ready,
                metrics=lambda: (metrics.text(), CONTENT_TYPE),
            )
            async with probes:
                self.port = probes.port
                await self._serve(transport, stop)
        finally:
            await transport.close()

    async def _serve(self, transport: Transport, stop: asyncio.Event) -> None:
        client = KubeClient(transport)
        if not await self._wait_for_kind(client, stop):
            return
        self._supervisor = await self._factory(client)
        router = EventRouter(self._supervisor)
        while await self._wait_for_kind(client, stop):
            self._source = EventSource(router.deliver, transport.identity, self._settings.namespaces)
            self._source.start()
            log.info("watching %s", ", ".join(self._settings.namespaces) or "all namespaces")
            await _first(stop.wait(), self._source.ended.wait())
            if not stop.is_set():
                log.warning("the watch ended; it is started again, what is under way goes on")
                await _first(stop.wait(), asyncio.sleep(RESTART_SECONDS))
        if self._source is not None:
            await self._source.stop(self._settings.exit_seconds / 2)
        try:
            async with asyncio.timeout(self._settings.exit_seconds / 2):
                await self._supervisor.close()
        except TimeoutError:
            log.warning("letting go of the clusters took too long; what runs on machines goes on there")

    async def _wait_for_kind(self, client: KubeClient, stop: asyncio.Event) -> bool:
        """kopf looks for the kind only when it starts, so it must be there; False: told to stop while waiting."""
        while not stop.is_set():
            try:
                if f'"{PLURAL}"'.encode() in await client.raw(f"/apis/{GROUP}/{VERSION}"):
                    return True
                raise NotFound(f"{PLURAL} is not served")
            except SealError as error:
                log.warning("waiting for the API server to serve %s.%s: %s", PLURAL, GROUP, error)
            await _first(stop.wait(), asyncio.sleep(CRD_POLL))
        return False

    def _not_alive(self) -> str:
        healthy = self._supervisor is None or self._supervisor.healthy
        return "" if healthy else "a task that looks after an object ended"

    def _not_ready(self) -> str:
        if self._source is None or not self._source.ready:
            return f"the API server is not yet watched for {PLURAL}.{GROUP}"
        return self._not_alive()

    def _reports(self) -> Sequence[Report]:
        return self._supervisor.reports() if self._supervisor is not None else ()

    def _traffic(self) -> Mapping[str, int]:
        return self._supervisor.traffic() if self._supervisor is not None else {}

    def _durations(self) -> Mapping[tuple[str, str], Histogram]:
        return self._supervisor.durations() if self._supervisor is not None else {}


async def _first(*waits: Coroutine[Any, Any, Any]) -> None:
    """Return when one of them did; the others are cancelled."""
    tasks = {asyncio.ensure_future(wait) for wait in waits}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def build_operator(factory: SupervisorFactory, settings: Settings) -> Operator:
    """The place where the supervisor is plugged in."""
    return Operator(factory, settings)


def run_operator(factory: SupervisorFactory, settings: Settings) -> int:
    """Configure logs and run until SIGTERM or SIGINT; the process' exit code."""
    configure(settings.log_format, settings.log_level)
    try:
        asyncio.run(_until_signal(build_operator(factory, settings)))
    except SealError as error:
        log.error("%s; %s", error, error.hint)
        return 1
    return 0


async def _until_signal(operator: Operator) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await operator.run(stop)
