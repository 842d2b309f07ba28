"""The authorities of a cluster as Secrets with Cluster API's names and keys.

Five Secrets cannot be created at once, so all of them are first written into one, `<name>-pki`: from then on they exist, whoever dies.
Each reader that meets it finishes the work and removes it.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import Any

from sealcluster.core.errors import StateConflict, TerminalError
from sealcluster.core.ports import PKI
from sealcluster.kube.client import KubeClient
from sealcluster.kube.errors import Conflict
from sealcluster.kube.records import CAPI_TYPE, secret
from sealcluster.kube.resources import SECRETS
from sealcluster.kube.secretdata import decode, encode, text_of

PAIRS = ("ca", "etcd", "proxy", "sa")
STAGED = "pki"
STAGED_KEY = "pki.json"
SUFFIXES = (*PAIRS, "registry")
NOT_YET = "if this cluster was never initialised, remove or rename the Secret that is there"


class PKIStore:
    """Reads and creates the authorities of one cluster."""

    def __init__(self, client: KubeClient, namespace: str, cluster: str) -> None:
        self._client = client
        self._namespace = namespace
        self._cluster = cluster

    async def load(self) -> PKI | None:
        """All authorities; None when there are none at all; TerminalError PKIMissing when only some are there."""
        staged = await self._find(STAGED)
        if staged is not None:
            return await self._finish(staged)
        found = await self._found()
        if not found:
            return None
        absent = [f"{self._namespace}/{self._cluster}-{suffix}" for suffix in SUFFIXES if suffix not in found]
        if absent:
            there = [f"{self._cluster}-{suffix}" for suffix in found]
            raise TerminalError(
                f"reading the cluster's certificates: Secret {', '.join(absent)} does not exist, {', '.join(there)} does",
                reason="PKIMissing",
                hint=f"restore it from a backup, or from /etc/kubernetes/pki of a master (tls.crt, tls.key; registry: password); {NOT_YET}",
            )
        return self._pki(found)

    async def create(self, pki: PKI) -> None:
        """Store new authorities. StateConflict when there are any already."""
        if found := await self._found():
            there = ", ".join(f"{self._namespace}/{self._cluster}-{suffix}" for suffix in found)
            raise StateConflict(f"creating the cluster's certificates: Secret {there} exists already", hint=NOT_YET)
        body = secret(self._cluster, STAGED, encode({STAGED_KEY: json.dumps(asdict(pki))}), kept=False)
        try:
            staged = await self._client.create(SECRETS, body, self._namespace)
        except Conflict as error:
            other = await self._find(STAGED)
            if not error.after_lost_reply or other is None or self._staged(other) != pki:
                raise
            staged = other
        await self._finish(staged)

    async def _finish(self, staged: dict[str, Any]) -> PKI:
        """Create each Secret from the staged one, then remove that. Should others be there (a second operator was faster), theirs stay."""
        pki = self._staged(staged)
        try:
            for suffix in SUFFIXES:
                await self._put(suffix, encode(_data(pki, suffix)))
        except StateConflict:
            await self._unstage(staged)
            raise
        await self._unstage(staged)
        return pki

    async def _unstage(self, staged: dict[str, Any]) -> None:
        await self._client.delete(SECRETS, staged["metadata"]["name"], self._namespace, uid=staged["metadata"]["uid"])

    async def _put(self, suffix: str, data: dict[str, str]) -> None:
        body = secret(self._cluster, suffix, data, kind="Opaque" if suffix == "registry" else CAPI_TYPE)
        try:
            await self._client.create(SECRETS, body, self._namespace)
        except Conflict:
            existing = await self._find(suffix)
            if existing is None or existing.get("data") != data:
                raise

    async def _found(self) -> dict[str, dict[str, Any]]:
        objects = await asyncio.gather(*(self._find(suffix) for suffix in SUFFIXES))
        return {suffix: found for suffix, found in zip(SUFFIXES, objects, strict=True) if found is not None}

    async def _find(self, suffix: str) -> dict[str, Any] | None:
        return await self._client.find(SECRETS, f"{self._cluster}-{suffix}", self._namespace)

    def _source(self, suffix: str) -> str:
        return f"Secret {self._namespace}/{self._cluster}-{suffix}"

    def _staged(self, found: dict[str, Any]) -> PKI:
        text = text_of(decode(found), STAGED_KEY, self._source(STAGED))
        try:
            values: dict[str, Any] = json.loads(text)
            ca, etcd, proxy, sa = ((str(values[suffix][0]), str(values[suffix][1])) for suffix in PAIRS)
            return PKI(ca=ca, etcd=etcd, proxy=proxy, sa=sa, registry_password=str(values["registry_password"]))
        except (ValueError, KeyError, IndexError, TypeError, RecursionError):
            # The parser's own message may quote a key.
            raise TerminalError(
                f"reading {self._source(STAGED)}: it does not hold the certificates that a creation left there",
                reason="PKIInvalid",
                hint="remove or rename it, if it is not this operator's",
            ) from None

    def _pki(self, found: dict[str, dict[str, Any]]) -> PKI:
        def text(suffix: str, key: str) -> str:
            return text_of(decode(found[suffix]), key, self._source(suffix))

        ca, etcd, proxy, sa = ((text(suffix, "tls.crt"), text(suffix, "tls.key")) for suffix in PAIRS)
        return PKI(ca=ca, etcd=etcd, proxy=proxy, sa=sa, registry_password=text("registry", "password"))


def _data(pki: PKI, suffix: str) -> dict[str, str]:
    if suffix == "registry":
        return {"password": pki.registry_password}
    certificate, key = getattr(pki, suffix)
    return {"tls.crt": certificate, "tls.key": key}
