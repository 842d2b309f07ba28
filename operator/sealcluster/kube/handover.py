"""Records of a cluster that was made elsewhere, put beside a new SealCluster: what an operator finds there, it takes over.

Everything is compared first and refused before anything is written where another cluster's records lie. The SealCluster itself
comes last: until it is there no operator looks at the rest, and what died in between is finished by the same call again.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sealcluster.core.errors import TerminalError
from sealcluster.core.ports import PKI
from sealcluster.core.state import StateRecord
from sealcluster.kube import secretdata
from sealcluster.kube.client import KubeClient
from sealcluster.kube.management import KubeManagement
from sealcluster.kube.pki_store import SUFFIXES
from sealcluster.kube.resources import CONFIGMAPS, SEALCLUSTERS, SECRETS, Resource

Texts = Mapping[tuple[str, str], Mapping[str, str]]
"""Secrets and ConfigMaps of people by (kind, name)."""

CREATE, KEEP, REPLACE = "create", "keep", "replace"


@dataclass(frozen=True)
class Parcel:
    """Everything of one cluster."""

    state: StateRecord
    pki: PKI | None
    kubeconfig: str | None = field(repr=False)
    texts: Texts = field(repr=False)
    document: Mapping[str, Any] = field(default_factory=dict)
    """The SealCluster, without namespace."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One object there: what it is, and what becomes of it."""

    todo: str
    """create, keep or replace."""
    kind: str
    name: str
    what: str = ""


class Handover:
    """Brings a parcel to `namespace` of a management plane."""

    def __init__(self, client: KubeClient, namespace: str, name: str) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name
        self._management = KubeManagement(client, namespace, name)

    async def look(self, parcel: Parcel) -> tuple[Piece, ...]:
        """What would be done, in order; changes nothing. All are `keep` when the cluster was handed over before.

        TerminalError when something of another cluster, or a newer record of this one, is in the way.
        """
        await self._served()
        present = await self._client.find(SEALCLUSTERS, self._name, self._namespace)
        state, _ = await self._management.load_state()
        if state is not None and state.cluster_id != parcel.state.cluster_id:
            raise self._taken(f"Secret {self._place('state')} is the record of another cluster")
        if present is not None and state is None:
            raise self._taken(f"SealCluster {self._namespace}/{self._name} exists, and it is not this cluster")
        if present is not None and "deletionTimestamp" in present["metadata"]:
            raise self._taken(f"SealCluster {self._namespace}/{self._name} is being deleted", "wait until it is gone")
        if present is None and state is not None and state.fence > parcel.state.fence:
            raise self._taken(
                f"Secret {self._place('state')} is a newer record of this cluster (fencing number {state.fence}, ours is {parcel.state.fence})",
                "an operator has worked on it since: apply its SealCluster there, as the operator knew it",
            )
        done = present is not None
        pieces = [await self._text(kind, name, data, done=done) for (kind, name), data in parcel.texts.items()]
        pieces += await self._authorities(parcel)
        if parcel.kubeconfig is not None:
            pieces.append(await self._kubeconfig(parcel.kubeconfig, done=done))
        todo = CREATE if state is None else KEEP if done or state == parcel.state else REPLACE
        pieces.append(Piece(todo, "Secret", f"{self._name}-state", "the state record"))
        hosts = len(parcel.document["spec"]["hosts"])
        pieces.append(Piece(KEEP if done else CREATE, "SealCluster", self._name, f"{hosts} host{'s' if hosts != 1 else ''}"))
        return tuple(pieces)

    async def write(self, parcel: Parcel) -> tuple[Piece, ...]:
        """Look again, then do it; what was done."""
        pieces = await self.look(parcel)
        todo = {(piece.kind, piece.name) for piece in pieces if piece.todo != KEEP}
        for (kind, name), data in parcel.texts.items():
            if (kind, name) in todo:
                await self._client.create(_resource(kind), _object(kind, name, data), self._namespace)
        if parcel.pki is not None and ("Secret", f"{self._name}-{SUFFIXES[0]}") in todo:
            await self._management.create_pki(parcel.pki)
        if parcel.kubeconfig is not None and ("Secret", f"{self._name}-kubeconfig") in todo:
            await self._management.save_kubeconfig(parcel.kubeconfig)
        if ("Secret", f"{self._name}-state") in todo:
            _, version = await self._management.load_state()
            await self._management.save_state(parcel.state, version)
        if ("SealCluster", self._name) in todo:
            metadata = {**parcel.document["metadata"], "namespace": self._namespace}
            await self._client.create(SEALCLUSTERS, {**parcel.document, "metadata": metadata}, self._namespace)
        return pieces

    async def _served(self) -> None:
        async for _ in self._client.pages(SEALCLUSTERS, self._namespace, page=1):
            break

    async def _authorities(self, parcel: Parcel) -> list[Piece]:
        there = await self._management.load_pki()
        if parcel.pki is None:
            if there is not None:
                raise self._taken(f"Secret {self._place('ca')} exists, and this cluster has no authorities yet")
            return []
        if there is not None and there != parcel.pki:
            raise self._taken(f"Secret {self._place('ca')} holds another cluster's authorities")
        todo = CREATE if there is None else KEEP
        return [
            Piece(todo, "Secret", f"{self._name}-{suffix}", "the registry's password" if suffix == "registry" else "authority")
            for suffix in SUFFIXES
        ]

    async def _kubeconfig(self, text: str, *, done: bool) -> Piece:
        there = await self._management.load_kubeconfig()
        todo = CREATE if there is None else KEEP if done or there == text else REPLACE
        return Piece(todo, "Secret", f"{self._name}-kubeconfig", "the admin kubeconfig")

    async def _text(self, kind: str, name: str, data: Mapping[str, str], *, done: bool) -> Piece:
        """A person may have changed it there since; before, another content is somebody else's."""
        there = await self._client.find(_resource(kind), name, self._namespace)
        if there is not None and not done:
            found = secretdata.decode({"kind": kind, **there})
            if found != {key: value.encode() for key, value in data.items()}:
                raise self._taken(
                    f"{kind} {self._namespace}/{name} exists with another content", "rename or remove it, or use another namespace"
                )
        return Piece(CREATE if there is None else KEEP, kind, name, "given by the command line")

    def _taken(self, what: str, hint: str = "use another namespace, or another name") -> TerminalError:
        return TerminalError(f"handing {self._name} over: {what}", reason="InvalidSpec", hint=hint)

    def _place(self, suffix: str) -> str:
        return f"{self._namespace}/{self._name}-{suffix}"


def _resource(kind: str) -> Resource:
    return CONFIGMAPS if kind == "ConfigMap" else SECRETS


def _object(kind: str, name: str, data: Mapping[str, str]) -> dict[str, Any]:
    if kind == "ConfigMap":
        return {"metadata": {"name": name}, "data": dict(data)}
    return {"metadata": {"name": name}, "type": "Opaque", "data": {k: base64.b64encode(v.encode()).decode() for k, v in data.items()}}
