"""Registers Ready clusters in Argo CD, for whom both the operator's setting and the object's label ask for it.

It follows the object as everybody sees it: nothing in the engine knows of it, and what goes wrong here holds nothing up.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sealcluster.api.cluster import ARGOCD_LABEL
from sealcluster.controller.durations import Histogram
from sealcluster.controller.supervisor_port import SupervisorPort
from sealcluster.core.errors import SealError
from sealcluster.core.ports import Clock
from sealcluster.engine import Report
from sealcluster.kube.argocd import ArgoClusters
from sealcluster.kube.client import KubeClient
from sealcluster.kube.management import KubeManagement
from sealcluster.kube.resources import SEALCLUSTERS

AGAIN = 30.0
"""Seconds after a try that failed."""
REFRESH = 600.0
"""Seconds after which a registration is compared with the kubeconfig again: its certificate is renewed now and then."""

Body = Mapping[str, Any]
Key = tuple[str, str]

log = logging.getLogger("sealcluster.controller")


@dataclass
class _Wish:
    """What is wanted for one object; `mark` is another one when something that matters has changed."""

    mark: tuple[object, ...] = ()
    wanted: bool = False
    server: str = ""
    """Where its API was found last."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class Registrar:
    """One task per object that is, was, or may have been registered.

    `endpoint` tells where the API of a cluster is, by namespace and name, as its engine has seen it (empty: not yet). Who may write an
    object's status or its kubeconfig's Secret does not choose the server that Argo CD speaks to.
    """

    def __init__(
        self, client: KubeClient, clock: Clock, argocd: str, endpoint: Callable[[str, str], str], namespaces: Sequence[str] = ()
    ) -> None:
        self._client = client
        self._clock = clock
        self._clusters = ArgoClusters(client, argocd)
        self._endpoint = endpoint
        self._namespaces = namespaces
        self._wishes: dict[Key, _Wish] = {}
        self._sweep = asyncio.create_task(self._sweep_up(), name="registrations without an object")

    def seen(self, body: Body) -> None:
        """The object as it is now."""
        metadata, status = body["metadata"], body.get("status") or {}
        key = (str(metadata["namespace"]), str(metadata["name"]))
        asked = (metadata.get("labels") or {}).get(ARGOCD_LABEL) == "true" and "deletionTimestamp" not in metadata
        ready = any(c.get("type") == "Ready" and c.get("status") == "True" for c in status.get("conditions") or ())
        known = self._wishes.setdefault(key, _Wish())
        wanted = asked and (ready or known.wanted)  # a cluster that is sick for a while stays registered
        known.server = self._endpoint(*key) or known.server
        mark = ("registered", known.server) if wanted else ("when it is Ready",) if asked else ("not",)
        self._wish(key, known, (*mark, metadata["uid"]), wanted=wanted, idle=asked and not wanted)

    def gone(self, namespace: str, name: str) -> None:
        """The object is no more."""
        known = self._wishes.setdefault((namespace, name), _Wish())
        known.server = ""  # the next object of that name is another cluster
        self._wish((namespace, name), known, ("gone",), wanted=False, idle=False)

    async def close(self) -> None:
        """Stop; what is registered stays so."""
        tasks = [self._sweep, *(w.task for w in self._wishes.values() if w.task is not None)]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    def _wish(self, key: Key, known: _Wish, mark: tuple[object, ...], *, wanted: bool, idle: bool) -> None:
        if mark == known.mark:
            return
        known.mark, known.wanted = mark, wanted
        if idle:
            return  # asked for, and not Ready yet: what an operator before us registered stays
        known.changed.set()
        if known.task is None or known.task.done():
            known.task = asyncio.create_task(self._follow(key, known), name=f"registration of {'/'.join(key)}")

    async def _follow(self, key: Key, known: _Wish) -> None:
        """While it is registered, and until what else is wanted is so."""
        while known.changed.is_set() or known.wanted:
            known.changed.clear()
            patience = REFRESH
            try:
                known.server = self._endpoint(*key) or known.server
                if not await self._make_true(key, known.server, wanted=known.wanted):
                    patience = AGAIN
                elif not known.wanted:
                    continue
            except SealError as error:
                log.warning("%s; it is tried again", error.message, extra={"cluster": "/".join(key)})
                patience = AGAIN
            try:
                async with asyncio.timeout(patience):
                    await known.changed.wait()
            except TimeoutError:
                known.changed.set()

    async def _make_true(self, key: Key, server: str, *, wanted: bool) -> bool:
        """False when there is nothing to register yet."""
        if not wanted:
            if await self._clusters.remove(*key):
                log.info("removed from Argo CD", extra={"cluster": "/".join(key)})
            return True
        kubeconfig = await KubeManagement(self._client, *key).load_kubeconfig()
        if kubeconfig is None or not server:
            return False
        if await self._clusters.put(*key, server, kubeconfig):
            log.info("registered in Argo CD", extra={"cluster": "/".join(key)})
        return True

    async def _sweep_up(self) -> None:
        """Once: what is left of objects that went while nobody watched."""
        while True:
            try:
                async for namespace, name in self._clusters.registered():
                    watched = not self._namespaces or namespace in self._namespaces
                    if watched and await self._client.find(SEALCLUSTERS, name, namespace) is None:
                        await self._clusters.remove(namespace, name)
                return
            except SealError as error:
                log.warning("looking for registrations in Argo CD: %s; it is tried again", error.message)
                await self._clock.sleep(AGAIN)


class Registering:
    """A supervisor whose objects a registrar sees too."""

    def __init__(self, inner: SupervisorPort, registrar: Registrar) -> None:
        self._inner = inner
        self._registrar = registrar

    def object_seen(self, body: Body) -> None:
        """Both are told."""
        self._inner.object_seen(body)
        self._registrar.seen(body)

    def object_gone(self, namespace: str, name: str) -> None:
        """Both are told."""
        self._inner.object_gone(namespace, name)
        self._registrar.gone(namespace, name)

    @property
    def healthy(self) -> bool:
        """The supervisor's: a registration that fails is no reason to restart."""
        return self._inner.healthy

    def reports(self) -> Sequence[Report]:
        """The supervisor's."""
        return self._inner.reports()

    def traffic(self) -> Mapping[str, int]:
        """The supervisor's."""
        return self._inner.traffic()

    def durations(self) -> Mapping[tuple[str, str], Histogram]:
        """The supervisor's."""
        return self._inner.durations()

    async def close(self) -> None:
        """Both end."""
        await self._registrar.close()
        await self._inner.close()
