"""Runs kopf in a thread with an event loop of its own.

It cancels every task of its loop when it ends, and a busy engine must not starve its watch. Events cross into the main loop in order.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from sealcluster.controller.handlers import Deliver, watch
from sealcluster.core.errors import SealError
from sealcluster.kube.transport import ClientIdentity

TLS_GOODBYE_SECONDS = 0.25

log = logging.getLogger(__name__)


class EventSource:
    """Delivers every SealCluster of these namespaces (none: all), now and whenever it changes."""

    def __init__(self, deliver: Deliver, identity: Callable[[], Awaitable[ClientIdentity]], namespaces: Sequence[str] = ()) -> None:
        self._deliver = deliver
        self._identity = identity
        self._namespaces = namespaces
        self._loop = asyncio.get_running_loop()
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kopf", daemon=True)
        self.ended = asyncio.Event()
        """Set in the main loop when kopf ended, for whatever reason."""

    @property
    def ready(self) -> bool:
        """True once the kind is watched."""
        return self._ready.is_set() and not self.ended.is_set()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    async def stop(self, seconds: float) -> bool:
        """End; False when kopf did not within this time (the thread does not keep the process)."""
        self._stop.set()
        try:
            async with asyncio.timeout(seconds):
                await self.ended.wait()
        except TimeoutError:
            log.warning("stopping the watch took more than %g s", seconds)
            return False
        return True

    def _run(self) -> None:
        try:
            asyncio.run(self._watch())
        except SealError as error:
            log.warning("%s", error)
        except Exception:
            log.exception("the watch ended")
        finally:
            self._tell_main(self.ended.set)

    async def _watch(self) -> None:
        try:
            await watch(self._pass_on, self._identity, self._namespaces, self._stop, self._ready)
        finally:
            # kopf drops its open watch without waiting for the end of TLS; a loop that ends first leaves the socket to the garbage collector
            await asyncio.sleep(TLS_GOODBYE_SECONDS)

    def _pass_on(self, kind: str | None, body: Mapping[str, Any]) -> None:
        self._tell_main(self._deliver, kind, body)

    def _tell_main(self, call: Any, *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:
            log.debug("the main loop is closed; nobody waits for this any more")
