"""One cluster's durable records as Secrets beside its SealCluster (`core.ports.Management` on Kubernetes)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from sealcluster.core import evidence
from sealcluster.core.errors import SealError, StateConflict, TerminalError
from sealcluster.core.evidence import Evidence
from sealcluster.core.ports import PKI, Credentials, PullAuth
from sealcluster.core.state import StateRecord
from sealcluster.kube import secretdata
from sealcluster.kube.client import KubeClient
from sealcluster.kube.errors import Conflict, NotFound
from sealcluster.kube.pki_store import STAGED, SUFFIXES, PKIStore
from sealcluster.kube.records import CAPI_TYPE, FINALIZER, is_ours, pack_state, secret, unpack_state
from sealcluster.kube.resources import CONFIGMAPS, SECRETS, Resource

KUBECONFIG_KEY = "value"
EVIDENCE_KEY = "evidence.json"

log = logging.getLogger(__name__)


class KubeManagement:
    """The records of the SealCluster `namespace`/`name`. Every reference is to that namespace: a Secret elsewhere is never read."""

    def __init__(self, client: KubeClient, namespace: str, name: str) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name
        self._pki = PKIStore(client, namespace, name)
        self._unguarded: dict[str, list[str]] = {}
        """Finalizers of the state Secret by the version at which ours was found to be missing (somebody removed it)."""

    async def load_state(self) -> tuple[StateRecord | None, str]:
        """The record and its version; (None, "") when there is none."""
        found = await self._find("state")
        if found is None:
            return None, ""
        metadata = found["metadata"]
        version = str(metadata["resourceVersion"])
        finalizers = list(metadata.get("finalizers") or ())
        guarded = FINALIZER in finalizers or "deletionTimestamp" in metadata
        self._unguarded = {} if guarded else {version: finalizers}
        return unpack_state(secretdata.decode(found), self._source("state")), version

    async def save_state(self, record: StateRecord, version: str) -> str:
        """Compare-and-swap; returns the new version. Raises StateConflict. Version "" creates (conflict when it exists)."""
        body = secret(self._name, "state", pack_state(record))
        try:
            if not version:
                stored = await self._client.create(SECRETS, body, self._namespace)
            else:
                metadata: dict[str, Any] = {"resourceVersion": version, "labels": body["metadata"]["labels"]}
                if version in self._unguarded:
                    metadata["finalizers"] = [*self._unguarded[version], FINALIZER]
                patch = {"metadata": metadata, "data": pack_state(record)}
                stored = await self._client.patch(SECRETS, body["metadata"]["name"], patch, self._namespace)
        except Conflict as error:
            if error.after_lost_reply:
                current, now = await self.load_state()
                if current == record:
                    return now
            raise
        except NotFound as error:
            raise StateConflict(f"saving {self._source('state')}: it is gone") from error
        return str(stored["metadata"]["resourceVersion"])

    async def load_pki(self) -> PKI | None:
        """All authorities, or None when there are none at all; TerminalError PKIMissing naming the Secrets when only some are there."""
        return await self._pki.load()

    async def create_pki(self, pki: PKI) -> None:
        """Store new authorities, all or (after a crash) all at the next `load_pki`; never overwrites (StateConflict)."""
        await self._pki.create(pki)

    async def save_kubeconfig(self, text: str) -> None:
        """Create or replace `<name>-kubeconfig` where it differs; TerminalError when somebody else's Secret has that name."""
        await self._publish("kubeconfig", {KUBECONFIG_KEY: text}, CAPI_TYPE)

    async def _publish(self, suffix: str, data: dict[str, str], kind: str) -> None:
        body = secret(self._name, suffix, secretdata.encode(data), kind=kind, kept=False)
        found = await self._find(suffix)
        if found is None:
            await self._client.create(SECRETS, body, self._namespace)
            return
        if not is_ours(found, self._name):
            raise TerminalError(
                f"writing {self._source(suffix)}: a Secret of that name exists and is not ours",
                reason="StorageRefused",
                hint="remove or rename it",
            )
        if found.get("data") != body["data"]:
            patch = {"metadata": {"resourceVersion": found["metadata"]["resourceVersion"]}, "data": body["data"]}
            await self._client.patch(SECRETS, body["metadata"]["name"], patch, self._namespace)

    async def load_kubeconfig(self) -> str | None:
        """What `save_kubeconfig` stored last."""
        found = await self._find("kubeconfig")
        return None if found is None else secretdata.text_of(secretdata.decode(found), KUBECONFIG_KEY, self._source("kubeconfig"))

    async def credentials(self, reference: str) -> Credentials:
        """Read a credentials Secret; `version` is its resourceVersion. TerminalError SecretMissing naming the Secret or the key."""
        if not reference:
            raise TerminalError(
                "looking for credentials: neither spec.ssh nor the host's row names a Secret",
                reason="SecretMissing",
                hint="set spec.ssh.credentialsSecretRef.name to a Secret in the namespace of the SealCluster",
            )
        found, source = await self._users(SECRETS, reference)
        return secretdata.credentials(secretdata.decode(found), source, str(found["metadata"]["resourceVersion"]))

    async def text(self, kind: str, reference: str, key: str) -> str:
        """One key of a Secret (kind ``Secret``) or ConfigMap; TerminalError SecretMissing."""
        found, source = await self._users(CONFIGMAPS if kind == "ConfigMap" else SECRETS, reference)
        return secretdata.text_of(secretdata.decode(found), key, source)

    async def pull_auth(self, references: Sequence[str]) -> PullAuth:
        """Merge dockerconfigjson Secrets; of several entries for one registry the first counts."""
        found = [await self._users(SECRETS, reference) for reference in references]
        return PullAuth(auths=secretdata.registry_auths((source, secretdata.decode(item)) for item, source in found))

    async def stamp(self, kind: str, reference: str) -> str:
        """Its UID and resourceVersion; empty while it does not exist."""
        found = await self._client.find(CONFIGMAPS if kind == "ConfigMap" else SECRETS, reference, self._namespace)
        return "" if found is None else f"{found['metadata']['uid']}/{found['metadata']['resourceVersion']}"

    async def load_evidence(self) -> tuple[Evidence, ...]:
        """What `save_evidence` stored last; nothing where it cannot be read (nothing depends on it)."""
        found = await self._find("evidence")
        try:
            return (
                ()
                if found is None
                else evidence.loads(secretdata.text_of(secretdata.decode(found), EVIDENCE_KEY, self._source("evidence")))
            )
        except (ValueError, SealError) as error:
            log.warning("%s cannot be read (%s); it is written anew", self._source("evidence"), error)
            return ()

    async def save_evidence(self, entries: tuple[Evidence, ...]) -> None:
        """Create or replace `<name>-evidence`; TerminalError when somebody else's Secret has that name."""
        await self._publish("evidence", {EVIDENCE_KEY: evidence.dumps(entries)}, "Opaque")

    async def purge(self) -> None:
        """Remove kubeconfig, evidence, PKI and, last, the state: what dies in between is finished by the next purge.

        A Secret that we did not make (an authority that the user brought) only loses our finalizer.
        """
        for suffix in ("evidence", "kubeconfig", *reversed(SUFFIXES), STAGED, "state"):
            await self._remove(suffix)

    async def _remove(self, suffix: str) -> None:
        found = await self._find(suffix)
        if found is None:
            return
        metadata = found["metadata"]
        finalizers = metadata.get("finalizers") or []
        if FINALIZER in finalizers:
            left = [finalizer for finalizer in finalizers if finalizer != FINALIZER]
            patch = {"metadata": {"resourceVersion": metadata["resourceVersion"], "finalizers": left}}
            try:
                await self._client.patch(SECRETS, metadata["name"], patch, self._namespace)
            except NotFound:
                return
        if not is_ours(found, self._name):
            log.warning("keeping %s: it was not made by this operator", self._source(suffix))
            return
        await self._client.delete(SECRETS, metadata["name"], self._namespace, uid=metadata["uid"])

    async def _find(self, suffix: str) -> dict[str, Any] | None:
        return await self._client.find(SECRETS, f"{self._name}-{suffix}", self._namespace)

    async def _users(self, resource: Resource, reference: str) -> tuple[dict[str, Any], str]:
        source = f"{resource.kind} {self._namespace}/{reference}"
        found = await self._client.find(resource, reference, self._namespace)
        if found is None:
            raise secretdata.missing(source)
        return {"kind": resource.kind, **found}, source

    def _source(self, suffix: str) -> str:
        return f"Secret {self._namespace}/{self._name}-{suffix}"
