"""Records that can be looked at but not changed: what a look (plan, status, preflight) gives the engine.

The engine raises the fencing number when it begins, even for a look. Here that stays in memory: a look never takes a
cluster away from a command or an operator that works on it, and leaves no trace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sealcluster.cli.localstate import LocalManagement
from sealcluster.core.errors import StateConflict, TerminalError, TransientError
from sealcluster.core.evidence import Evidence
from sealcluster.core.images import ImageInfo
from sealcluster.core.ports import PKI, Credentials, Progress, PullAuth
from sealcluster.core.state import StateRecord
from sealcluster.kube import secretdata

Texts = Mapping[tuple[str, str], Mapping[str, str]]
"""Secrets and ConfigMaps by (kind, name): what was typed and is not stored."""


class Observer:
    """`core.ports.Management` over stored records; writes of state stay here, all others are refused."""

    def __init__(self, stored: LocalManagement, typed: Texts | None = None) -> None:
        self._stored = stored
        self._typed = typed or {}
        self._state: StateRecord | None = None
        self._version = 0

    async def load_state(self) -> tuple[StateRecord | None, str]:
        """The stored record, or what this look made of it."""
        if self._state is not None:
            return self._state, str(self._version)
        return (await self._stored.load_state())[0], "0"

    async def save_state(self, record: StateRecord, version: str) -> str:
        """Compare-and-swap in memory."""
        if version != str(self._version):
            raise StateConflict("saving the state record: it changed since it was read")
        self._state, self._version = record, self._version + 1
        return str(self._version)

    async def load_pki(self) -> PKI | None:
        """The stored authorities."""
        return await self._stored.load_pki()

    async def create_pki(self, pki: PKI) -> None:
        """Refused."""
        raise _refused("authorities")

    async def save_kubeconfig(self, text: str) -> None:
        """Refused."""
        raise _refused("the kubeconfig")

    async def load_kubeconfig(self) -> str | None:
        """The stored one."""
        return await self._stored.load_kubeconfig()

    async def credentials(self, reference: str) -> Credentials:
        """What was typed, else what is stored."""
        data = self._own("Secret", reference)
        if data is None:
            return await self._stored.credentials(reference)
        return replace(secretdata.credentials(data, f"Secret {reference}", "typed"))

    async def text(self, kind: str, reference: str, key: str) -> str:
        """The same for one key."""
        data = self._own(kind, reference)
        return await self._stored.text(kind, reference, key) if data is None else secretdata.text_of(data, key, f"{kind} {reference}")

    async def pull_auth(self, references: Sequence[str]) -> PullAuth:
        """The same for registry credentials."""
        merged: dict[str, tuple[str, str]] = {}
        for reference in references:
            data = self._own("Secret", reference)
            one = await self._stored.pull_auth([reference]) if data is None else PullAuth(secretdata.registry_auths([(reference, data)]))
            merged = {**one.auths, **merged}
        return PullAuth(merged)

    async def stamp(self, kind: str, reference: str) -> str:
        """That of what is stored; what was typed does not change during a look."""
        return "typed" if self._own(kind, reference) is not None else await self._stored.stamp(kind, reference)

    async def load_evidence(self) -> tuple[Evidence, ...]:
        """The stored one."""
        return await self._stored.load_evidence()

    async def save_evidence(self, entries: tuple[Evidence, ...]) -> None:
        """Refused."""
        raise _refused("evidence")

    async def purge(self) -> None:
        """Refused."""
        raise _refused("the records")

    def _own(self, kind: str, reference: str) -> dict[str, bytes] | None:
        data = self._typed.get((kind, reference))
        return None if data is None else {key: value.encode() for key, value in data.items()}


def _refused(what: str) -> TerminalError:
    return TerminalError(f"changing {what}: this is only a look")


class NoImages:
    """`core.ports.Images` for a look at machines alone: nothing is pulled."""

    async def resolve(self, name: str, ref: str, arch: str, auth: PullAuth, progress: Progress | None = None) -> ImageInfo:
        """Refused."""
        raise TransientError(f"resolving {ref}: images are not looked at here", reason="ImagePullFailed")

    async def open_part(self, digest: str) -> Path:
        """Refused."""
        raise _refused("images")
