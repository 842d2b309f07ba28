"""`Management` in memory: compare-and-swap, Secrets of users, and everything that can go wrong with them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from sealcluster.core.errors import StateConflict, TerminalError, TransientError
from sealcluster.core.ports import PKI, Credentials, PullAuth
from sealcluster.core.state import StateRecord

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
        self.lost: set[str] = set()
        self.conflicts = 0
        self.down = False
        self.purged = 0
        self.secrets: dict[str, Mapping[str, str]] = {"ssh": {"username": "root", "password": "secret"}}
        self.secret_versions: dict[str, int] = {}
        self.texts: dict[tuple[str, str, str], str] = {}
        """By kind, name and key."""
        self.pull_auths: dict[str, Mapping[str, tuple[str, str]]] = {}
        self.history: list[StateRecord] = []
        """Every state that was ever stored."""

    def set_secret(self, name: str, data: Mapping[str, str] | None) -> None:
        """Create, change or (None) delete a user's Secret."""
        self.secret_versions[name] = self.secret_versions.get(name, 0) + 1
        if data is None:
            self.secrets.pop(name, None)
        else:
            self.secrets[name] = data

    async def _call(self) -> None:
        await asyncio.sleep(self.latency)
        if self.down:
            raise TransientError("calling the management API: 503 Service Unavailable", reason="ManagementUnavailable")

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

    async def credentials(self, reference: str) -> Credentials:
        """A user's Secret as credentials."""
        await self._call()
        data = self.secrets.get(reference)
        if data is None:
            raise TerminalError(
                f"reading credentials: there is no Secret {reference}", reason="SecretMissing", hint=f"create the Secret {reference}"
            )
        return Credentials(
            user=data.get("username", "root"),
            password=data.get("password"),
            private_key=data.get("ssh-privatekey"),
            passphrase=data.get("passphrase"),
            certificate=data.get("ssh-certificate"),
            become_password=data.get("become-password"),
            version=str(self.secret_versions.get(reference, 0)),
        )

    async def text(self, kind: str, reference: str, key: str) -> str:
        """One key."""
        await self._call()
        found = self.texts.get((kind, reference, key))
        if found is None:
            raise TerminalError(
                f"reading {kind} {reference}: it has no key {key}", reason="SecretMissing", hint=f"create {kind} {reference}"
            )
        return found

    async def pull_auth(self, references: Sequence[str]) -> PullAuth:
        """Merged registry credentials."""
        await self._call()
        merged: dict[str, tuple[str, str]] = {}
        for reference in references:
            if reference not in self.pull_auths:
                raise TerminalError(
                    f"reading pull secrets: there is no Secret {reference}", reason="SecretMissing", hint=f"create {reference}"
                )
            merged.update(self.pull_auths[reference])
        return PullAuth(merged)

    async def purge(self) -> None:
        """Everything is gone."""
        await self._call()
        self.state, self.pki, self.kubeconfig = None, None, None
        self.purged += 1
