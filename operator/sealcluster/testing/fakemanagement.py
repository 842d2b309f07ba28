"""`Management` in memory: compare-and-swap, Secrets of users, and everything that can go wrong with them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from sealcluster.core import evidence
from sealcluster.core.errors import StateConflict, TerminalError, TransientError
from sealcluster.core.evidence import Evidence
from sealcluster.core.ports import PKI, Credentials, PullAuth
from sealcluster.core.state import StateRecord
from sealcluster.kube import secretdata
from sealcluster.kube.resources import CONFIGMAPS, SECRETS

PKI_NAMES = ("ca", "etcd", "proxy", "sa")


class FakeManagement:
    """The durable records of one cluster. It outlives every operator.

    `conflicts`: that many of the next writes of the state lose against somebody else's. `down`: every call fails as with a
    server that answers 503. `lost`: PKI Secrets that somebody deleted.
    """

    def __init__(self, cluster: str = "demo", latency: float = 0.02) -> None:
        self.cluster = cluster
        self.latency = latency
        self.state: str | None = None
        self.version = 0
        self.pki: PKI | None = None
        self.kubeconfig: str | None = None
        self.evidence: str | None = None
        self.lost: set[str] = set()
        self.conflicts = 0
        self.down = False
        self.purged = 0
        self.users: dict[tuple[str, str], tuple[dict[str, bytes], int]] = {}
        """Secrets and ConfigMaps of people by kind and name: data and version."""
        self.history: list[StateRecord] = []
        """Every state that was ever stored."""
        self.set("Secret", "ssh", {"username": "root", "password": "secret"})

    def set(self, kind: str, name: str, data: Mapping[str, str]) -> None:
        """Create or change a Secret or ConfigMap of a person."""
        version = self.users[kind, name][1] + 1 if (kind, name) in self.users else 1
        self.users[kind, name] = ({key: value.encode() for key, value in data.items()}, version)

    def drop(self, kind: str, name: str) -> None:
        """Somebody deletes it."""
        self.users.pop((kind, name), None)

    async def _call(self) -> None:
        await asyncio.sleep(self.latency)
        if self.down:
            raise TransientError("calling the management API: 503 Service Unavailable", reason="ProgressingWithRetry")

    # --- the state ---------------------------------------------------------------------------------------------
    async def load_state(self) -> tuple[StateRecord | None, str]:
        """The record, through its stored form."""
        await self._call()
        return (StateRecord.loads(self.state), str(self.version)) if self.state is not None else (None, "")

    async def save_state(self, record: StateRecord, version: str) -> str:
        """Compare-and-swap."""
        await self._call()
        if self.conflicts > 0:
            self.conflicts -= 1
            self.version += 1
            raise StateConflict("saving the state record: 409 Conflict")
        current = str(self.version) if self.state is not None else ""
        if version != current:
            raise StateConflict(f"saving the state record: it is at {current or 'nothing'}, we read {version or 'nothing'}")
        self.state = record.dumps()
        self.version += 1
        self.history.append(StateRecord.loads(self.state))
        return str(self.version)

    # --- authorities and kubeconfig ----------------------------------------------------------------------------
    async def load_pki(self) -> PKI | None:
        """All or nothing; some is an error."""
        await self._call()
        if self.pki is None or self.lost >= set(PKI_NAMES):
            return None
        if self.lost:
            names = ", ".join(f"{self.cluster}-{name}" for name in sorted(self.lost))
            raise TerminalError(
                f"reading the cluster's PKI: missing Secrets: {names}", reason="PKIMissing", hint="restore them from a master"
            )
        return self.pki

    async def create_pki(self, pki: PKI) -> None:
        """Store once."""
        await self._call()
        if self.pki is not None and not self.lost >= set(PKI_NAMES):
            raise StateConflict("storing the cluster's PKI: it exists")
        self.pki, self.lost = pki, set()

    async def save_kubeconfig(self, text: str) -> None:
        """Replace."""
        await self._call()
        self.kubeconfig = text

    async def load_kubeconfig(self) -> str | None:
        """What was stored last."""
        await self._call()
        return self.kubeconfig

    # --- what people stored ------------------------------------------------------------------------------------
    async def credentials(self, reference: str) -> Credentials:
        """A user's Secret as credentials."""
        data, source, version = await self._users("Secret", reference)
        return secretdata.credentials(data, source, version)

    async def text(self, kind: str, reference: str, key: str) -> str:
        """One key."""
        data, source, _ = await self._users(kind, reference)
        return secretdata.text_of(data, key, source)

    async def pull_auth(self, references: Sequence[str]) -> PullAuth:
        """Merged registry credentials."""
        found = [await self._users("Secret", reference) for reference in references]
        return PullAuth(auths=secretdata.registry_auths((source, data) for data, source, _ in found))

    async def stamp(self, kind: str, reference: str) -> str:
        """Its version; an object that was dropped and made again begins with another one."""
        await self._call()
        found = self.users.get((kind, reference))
        return "" if found is None else f"{id(found[0])}/{found[1]}"

    async def _users(self, kind: str, reference: str) -> tuple[dict[str, bytes], str, str]:
        (CONFIGMAPS if kind == "ConfigMap" else SECRETS).path("default", reference)  # refuses what is no name
        await self._call()
        source = f"{kind} default/{reference}"
        found = self.users.get((kind, reference))
        if found is None:
            raise secretdata.missing(source)
        return found[0], source, str(found[1])

    async def load_evidence(self) -> tuple[Evidence, ...]:
        """What was saved last."""
        await self._call()
        return evidence.loads(self.evidence) if self.evidence is not None else ()

    async def save_evidence(self, entries: tuple[Evidence, ...]) -> None:
        """Replace."""
        await self._call()
        self.evidence = evidence.dumps(entries)

    async def purge(self) -> None:
        """Everything of ours is gone."""
        await self._call()
        self.state, self.pki, self.kubeconfig, self.evidence = None, None, None, None
        self.purged += 1
