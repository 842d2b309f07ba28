"""`Workloads` and `Workload` on the model: the API of the new cluster as the operator reaches it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from sealcluster.core.errors import TransientError
from sealcluster.core.facts import ClusterFacts, NodeFacts
from sealcluster.core.ports import PKI, Endpoint
from sealcluster.testing.model.kube import ModelKube, ModelNode
from sealcluster.testing.model.world import ModelWorld


class ModelWorkloads:
    """Opens APIs; `failing` makes every call fail like a server that answers 503."""

    def __init__(self, world: ModelWorld) -> None:
        self.world = world
        self.failing = False

    def open(self, cluster: str, endpoints: Sequence[Endpoint], domain: str, pki: PKI) -> ModelWorkload:
        """A handle."""
        return ModelWorkload(self, tuple(endpoints), pki.ca[0])


class ModelWorkload:
    """One cluster's API through whichever of these endpoints answers."""

    def __init__(self, parent: ModelWorkloads, endpoints: tuple[Endpoint, ...], ca: str) -> None:
        self._parent = parent
        self._world = parent.world
        self._endpoints = endpoints
        self._ca = ca

    async def facts(self) -> ClusterFacts:
        """Nodes and ready masters."""
        await self._latency()
        kube = self._world.planes.by_ca.get(self._ca)
        ready = self._ready(kube)
        if kube is None or not ready or self._parent.failing:
            return ClusterFacts(error="no master answered")
        self._world.planes.sync_nodes(kube, self._world.now())
        nodes = {name: _facts(node) for name, node in kube.nodes.items()}
        dns = any(node.ready for node in kube.nodes.values())
        return ClusterFacts(reachable=True, nodes=nodes, ready_masters=frozenset(ready), dns_ready=dns)

    def _ready(self, kube: ModelKube | None) -> list[str]:
        if kube is None:
            return []
        ready = []
        for endpoint in self._endpoints:
            machine = self._world.network.at(endpoint.address)
            if machine is None or endpoint.port != kube.port or not self._world.network.operator_reaches(machine):
                continue
            if self._world.planes.api_up(machine, kube, self._world.now()):
                ready.append(endpoint.host)
        return ready

    async def _latency(self) -> None:
        await asyncio.sleep(self._world.timing.sample("api-call"))

    async def _kube(self, what: str) -> ModelKube:
        await self._latency()
        kube = self._world.planes.by_ca.get(self._ca)
        if kube is None or not self._ready(kube) or self._parent.failing:
            raise TransientError(f"{what}: no master answered", reason="APIServerUnreachable")
        self._world.planes.sync_nodes(kube, self._world.now())
        return kube

    async def ensure_token(self, token: str, ttl: float) -> None:
        """Create or prolong a bootstrap token."""
        kube = await self._kube("creating a bootstrap token")
        kube.tokens[token] = max(kube.tokens.get(token, 0.0), self._world.now() + ttl)

    async def patch_node(self, name: str, labels: Mapping[str, str | None], taints: Sequence[tuple[str, str, str]] | None) -> None:
        """Labels and taints."""
        node = self._node(await self._kube(f"patching node {name}"), name)
        for key, value in labels.items():
            if value is None:
                node.labels.pop(key, None)
            else:
                node.labels[key] = value
        node.our_labels = frozenset(key for key, value in labels.items() if value is not None)
        if taints is not None:
            ours = (node.our_taints or frozenset()) | {(key, effect) for key, _, effect in taints}
            theirs = [t for t in node.taints if (t[0], t[2]) not in ours and not t[0].startswith("node-role.kubernetes.io/")]
            node.taints = (*theirs, *taints)
            node.our_taints = frozenset((key, effect) for key, _, effect in taints)

    async def set_unschedulable(self, name: str, value: bool) -> None:
        """Cordon, uncordon."""
        self._node(await self._kube(f"cordoning node {name}"), name).unschedulable = value

    async def evict_pods(self, node: str, *, force: bool = False, empty_dir: bool = True) -> tuple[int, str]:
        """One round."""
        kube = await self._kube(f"evicting pods of {node}")
        found = self._node(kube, node)
        blocked = kube.blocked_evictions.get(node, "")
        if blocked:
            return max(found.pods, 1), blocked
        left, found.pods = found.pods // 2, found.pods // 2
        return left, ""

    async def delete_node(self, name: str, uid: str) -> None:
        """Delete by UID."""
        kube = await self._kube(f"deleting node {name}")
        node = kube.nodes.get(name)
        if node is None:
            return
        if node.uid != uid:
            raise TransientError(f"deleting node {name}: it is another one now (409 Conflict)", reason="NodeReplaced")
        del kube.nodes[name]
        self._world.note(f"node {name} deleted")

    def _node(self, kube: ModelKube, name: str) -> ModelNode:
        node = kube.nodes.get(name)
        if node is None:
            raise TransientError(f"finding node {name}: 404 not found", reason="NodeNotFound")
        return node


def _facts(node: ModelNode) -> NodeFacts:
    return NodeFacts(
        name=node.name,
        uid=node.uid,
        ready=node.ready,
        message=node.message,
        version=node.version,
        addresses=frozenset({node.address}),
        unschedulable=node.unschedulable,
        labels=dict(node.labels),
        taints=node.taints,
        our_labels=node.our_labels,
        our_taints=node.our_taints,
        control_plane=node.control_plane,
    )
