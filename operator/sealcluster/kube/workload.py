"""The API of a cluster that we build, through whichever of its masters answers (`core.ports.Workload`)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from sealcluster.core.errors import SealError, TransientError
from sealcluster.core.facts import ClusterFacts
from sealcluster.core.ports import Clock, Endpoint
from sealcluster.kube import tokens
from sealcluster.kube.client import KubeClient
from sealcluster.kube.errors import Conflict, NotFound, Unavailable
from sealcluster.kube.nodes import Taint, dns_ready, node_facts, node_patch
from sealcluster.kube.pods import evict_round
from sealcluster.kube.resources import DEPLOYMENTS, NODES, SECRETS
from sealcluster.kube.transport import Transport

PROBE_SECONDS = 3.0
"""How long a master may take to say that it is ready."""
REQUEST_SECONDS = 15.0
PATCH_ATTEMPTS = 4
"""The kubelet and controllers write the same Node objects."""

T = TypeVar("T")
Session = Callable[[], Awaitable[Transport]]

log = logging.getLogger(__name__)


class KubeWorkload:
    """One cluster. `session` gives its connection pool (opened at first use, kept by the owner of this handle)."""

    def __init__(self, session: Session, endpoints: Sequence[Endpoint], clock: Clock) -> None:
        self._session = session
        self._endpoints = tuple(endpoints)
        self._clock = clock
        self._healthy: frozenset[str] = frozenset()

    async def facts(self) -> ClusterFacts:
        """Nodes and masters' readiness; never raises for an API that is down (`reachable` False says so)."""
        try:
            ready = await self._probe()
            return await self._call(self._look(ready)) if ready else ClusterFacts()
        except TransientError as error:
            log.info("looking at the cluster: %s", error)
        except SealError as error:  # it answers, and refuses: right after init its roles are still being made
            log.warning("looking at the cluster: %s", error)
        return ClusterFacts()

    async def ensure_token(self, token: str, ttl: float) -> None:
        """Make the bootstrap token Secret valid for at least `ttl` seconds from now; one that is due gets twice as long."""
        now = self._clock.now()
        wanted = tokens.token_secret(token, now + 2 * ttl)
        name = wanted["metadata"]["name"]

        async def ensure(client: KubeClient) -> None:
            found = await client.find(SECRETS, name, tokens.NAMESPACE)
            if found is None:
                await client.create(SECRETS, wanted, tokens.NAMESPACE)
            elif not tokens.lasts_until(found, wanted, now + ttl):
                await client.patch(SECRETS, name, {"data": wanted["data"]}, tokens.NAMESPACE)

        await self._call(ensure)

    async def patch_node(self, name: str, labels: Mapping[str, str | None], taints: Sequence[Taint] | None) -> None:
        """Set labels (None removes) and, where given, the complete list of our taints, the control plane's included.

        What happens to taints of others is told in `nodes.node_patch`.
        """

        async def change(client: KubeClient) -> None:
            for attempt in range(1, PATCH_ATTEMPTS + 1):
                patch = node_patch(await client.get(NODES, name), labels, taints)
                if not patch:
                    return
                try:
                    await client.patch(NODES, name, patch)
                    return
                except Conflict:
                    if attempt == PATCH_ATTEMPTS:
                        raise

        await self._call(change)

    async def set_unschedulable(self, name: str, value: bool) -> None:
        """Cordon or uncordon."""
        await self._call(lambda client: client.patch(NODES, name, {"spec": {"unschedulable": value or None}}))

    async def evict_pods(self, node: str, *, force: bool = False, empty_dir: bool = True) -> tuple[int, str]:
        """One round of eviction: (pods still there, why the first of them is blocked or "")."""
        return await self._call(lambda client: evict_round(client, node, force=force, empty_dir=empty_dir))

    async def delete_node(self, name: str, uid: str) -> None:
        """Delete the Node with this UID; gone already is fine, and so is another one of that name (it stays)."""

        async def delete(client: KubeClient) -> None:
            try:
                await client.delete(NODES, name, uid=uid)
            except Conflict:
                found = await client.find(NODES, name)
                if found is not None and found["metadata"]["uid"] == uid:
                    raise

        await self._call(delete)

    async def _probe(self) -> frozenset[str]:
        """Names of the hosts whose API server says that it is ready; all are asked at once."""
        if not self._endpoints:
            return frozenset()
        transport = await self._session()

        async def one(endpoint: Endpoint) -> bool:
            try:
                await KubeClient(transport, server=_url(endpoint), timeout=PROBE_SECONDS, attempts=1).raw("/readyz")
            except SealError as error:
                log.debug("probing master %s: %s", endpoint.host, error)
                return False
            return True

        answers = await asyncio.gather(*(one(endpoint) for endpoint in self._endpoints))
        self._healthy = frozenset(endpoint.host for endpoint, up in zip(self._endpoints, answers, strict=True) if up)
        return self._healthy

    @staticmethod
    async def _read(work: Callable[[KubeClient], Awaitable[T]], client: KubeClient) -> T:
        """The machines belong to a tenant, and so does what their API server says: objects of another shape are its fault."""
        try:
            return await work(client)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            log.debug("reading the cluster's API", exc_info=True)
            raise Unavailable(
                f"reading the cluster's API at {client.server}: an object of an unknown shape ({type(error).__name__})", answered=True
            ) from error

    def _look(self, ready: frozenset[str]) -> Callable[[KubeClient], Awaitable[ClusterFacts]]:
        async def look(client: KubeClient) -> ClusterFacts:
            nodes = [node_facts(node) async for node in client.pages(NODES)]
            dns = [d async for d in client.pages(DEPLOYMENTS, "kube-system", labels="k8s-app=kube-dns")]
            return ClusterFacts(reachable=True, nodes={node.name: node for node in nodes}, ready_masters=ready, dns_ready=dns_ready(dns))

        return look

    async def _call(self, work: Callable[[KubeClient], Awaitable[T]]) -> T:
        """Do it through the first master that answers; those that were ready at the last look are asked first."""
        if not self._endpoints:
            raise TransientError("using the cluster's API: no master is known", reason="EndpointUnreachable")
        transport = await self._session()
        last: Unavailable | None = None
        for endpoint in sorted(self._endpoints, key=lambda e: e.host not in self._healthy):
            try:
                return await self._read(
                    work, KubeClient(transport, server=_url(endpoint), timeout=REQUEST_SECONDS, attempts=2, patience=REQUEST_SECONDS)
                )
            except Unavailable as error:
                self._healthy -= {endpoint.host}
                last = error
            except NotFound as error:
                raise TransientError(str(error), hint="it is looked at again") from error
        assert last is not None
        raise TransientError(f"using the cluster's API: no master answered; the last said: {last}", reason="EndpointUnreachable") from last


def _url(endpoint: Endpoint) -> str:
    address = f"[{endpoint.address}]" if ":" in endpoint.address else endpoint.address
    return f"https://{address}:{endpoint.port}"
