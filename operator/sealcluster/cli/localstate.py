"""One cluster's durable records in a local directory: `core.ports.Management` without a management plane.

::

    <directory>/                 0700
        state.json               the state record, replaced whole, compare-and-swap under `lock`
        pki/                     <ca|etcd|proxy|sa>.{crt,key}, registry-password; appears whole by one rename
        kubeconfig
        evidence.json            what is known of failed steps
        secrets/<name>.json      {key: text} of what the command line's flags gave: credentials, pull secrets
        configmaps/<name>.json
        lock                     flock; held for milliseconds

Every file is 0600 and fsynced before it gets its name.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

from sealcluster.cli import localfiles
from sealcluster.core import evidence
from sealcluster.core.errors import StateConflict, TerminalError
from sealcluster.core.evidence import Evidence
from sealcluster.core.ports import PKI, Credentials, PullAuth
from sealcluster.core.state import StateRecord
from sealcluster.kube import secretdata

log = logging.getLogger("sealcluster.cli")

P = ParamSpec("P")
T = TypeVar("T")

PAIRS = ("ca", "etcd", "proxy", "sa")
PKI_FILES = (*(f"{pair}.{kind}" for pair in PAIRS for kind in ("crt", "key")), "registry-password")
EVIDENCE = "evidence.json"
DEFAULT_ROOT = "~/.sealcluster"
_FOLDERS = {"Secret": "secrets", "ConfigMap": "configmaps"}


class LocalManagement:
    """The records of one cluster below `directory` (made when something is first written)."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @classmethod
    def of(cls, cluster: str, root: Path | None = None) -> LocalManagement:
        """The records of this cluster below `root` (default ~/.sealcluster)."""
        return cls((root or Path(DEFAULT_ROOT).expanduser()) / localfiles.checked_name(cluster))

    async def load_state(self) -> tuple[StateRecord | None, str]:
        """The record and its version; (None, "") when there is none."""
        return await self._thread(self._load_state)

    async def save_state(self, record: StateRecord, version: str) -> str:
        """Compare-and-swap; returns the new version. Raises StateConflict. Version "" creates (conflict when it exists)."""
        return await self._thread(self._save_state, record, version)

    async def load_pki(self) -> PKI | None:
        """All authorities, or None when there are none at all; TerminalError PKIMissing naming the files when only some are there."""
        return await self._thread(self._load_pki)

    async def create_pki(self, pki: PKI) -> None:
        """Store new authorities, all or nothing; never overwrites (StateConflict)."""
        await self._thread(self._create_pki, pki)

    async def save_kubeconfig(self, text: str) -> None:
        """Create or replace the file `kubeconfig` where it differs."""
        if await self.load_kubeconfig() != text:
            await self._thread(localfiles.write, self._path("kubeconfig"), text.encode())

    async def load_kubeconfig(self) -> str | None:
        """What `save_kubeconfig` stored last."""
        data = await self._thread(localfiles.read, self._path("kubeconfig"))
        return None if data is None else data.decode()

    async def credentials(self, reference: str) -> Credentials:
        """What `put("Secret", reference, …)` stored; `version` changes with every put."""
        data, source, version = await self._thread(self._data, "Secret", reference)
        return secretdata.credentials(data, source, version)

    async def text(self, kind: str, reference: str, key: str) -> str:
        """One key of what `put` stored; TerminalError SecretMissing."""
        data, source, _ = await self._thread(self._data, kind, reference)
        return secretdata.text_of(data, key, source)

    async def pull_auth(self, references: Sequence[str]) -> PullAuth:
        """Merge dockerconfigjson files; of several entries for one registry the first counts."""
        found = [await self._thread(self._data, "Secret", reference) for reference in references]
        return PullAuth(auths=secretdata.registry_auths((source, data) for data, source, _ in found))

    async def stamp(self, kind: str, reference: str) -> str:
        """Changes with every `put`; empty before the first."""
        return await self._thread(localfiles.stamp, self._user_file(kind, reference))

    async def load_evidence(self) -> tuple[Evidence, ...]:
        """What `save_evidence` stored last; nothing where it cannot be read (nothing depends on it)."""
        data = await self._thread(localfiles.read, self._path(EVIDENCE))
        try:
            return () if data is None else evidence.loads(data.decode())
        except ValueError as error:
            log.warning("%s: %s; it is written anew", self._path(EVIDENCE), error)
            return ()

    async def save_evidence(self, entries: tuple[Evidence, ...]) -> None:
        """Replace the file `evidence.json`."""
        await self._thread(localfiles.write, self._path(EVIDENCE), evidence.dumps(entries).encode())

    async def purge(self) -> None:
        """Remove kubeconfig, PKI and, last, the state. What the user gave (`secrets/`, `configmaps/`) stays."""
        await self._thread(self._purge)

    async def put(self, kind: str, name: str, data: Mapping[str, str]) -> None:
        """Store a Secret or ConfigMap, replacing an earlier one of that name whole."""
        await self._thread(localfiles.write, self._user_file(kind, name), json.dumps(dict(data)).encode())

    async def _thread(self, work: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        try:
            return await asyncio.to_thread(work, *args, **named)
        except OSError as error:
            raise TerminalError(
                f"using {self.directory}: {error.strerror or error}",
                reason="StorageRefused",
                hint="check free space and owner of the directory",
            ) from error

    def _load_state(self) -> tuple[StateRecord | None, str]:
        data = localfiles.read(self._path("state.json"))
        if data is None:
            return None, ""
        try:
            return StateRecord.loads(data.decode()), _version(data)
        except (ValueError, TypeError) as error:
            raise TerminalError(
                f"reading {self._path('state.json')}: {error}",
                reason="StateUnreadable",
                hint="restore it from a backup; a lost record cannot be made up from the hosts",
            ) from error

    def _save_state(self, record: StateRecord, version: str) -> str:
        path, data = self._path("state.json"), record.dumps().encode()
        with self._locked():
            current = localfiles.read(path)
            if (_version(current) if current is not None else "") != version:
                raise StateConflict(f"saving {path}: it changed since it was read")
            localfiles.write(path, data)
        return _version(data)

    def _load_pki(self) -> PKI | None:
        folder = self._path("pki")
        if not folder.is_dir():
            return None
        found = {name: localfiles.read(folder / name) for name in PKI_FILES}
        absent = [str(folder / name) for name, data in found.items() if data is None]
        if absent:
            raise TerminalError(
                f"reading the cluster's certificates: {', '.join(absent)} does not exist",
                reason="PKIMissing",
                hint="restore it from a backup, or from /etc/kubernetes/pki of a master",
            )
        text = {name: data.decode() for name, data in found.items() if data is not None}
        ca, etcd, proxy, sa = ((text[f"{pair}.crt"], text[f"{pair}.key"]) for pair in PAIRS)
        return PKI(ca=ca, etcd=etcd, proxy=proxy, sa=sa, registry_password=text["registry-password"])

    def _create_pki(self, pki: PKI) -> None:
        files = {f"{pair}.{kind}": getattr(pki, pair)[place].encode() for pair in PAIRS for place, kind in enumerate(("crt", "key"))}
        with self._locked():
            if self._path("pki").exists():
                raise StateConflict(f"creating {self._path('pki')}: it exists already")
            localfiles.write_folder(self._path("pki"), {**files, "registry-password": pki.registry_password.encode()})

    def _data(self, kind: str, name: str) -> tuple[dict[str, bytes], str, str]:
        file = self._user_file(kind, name)
        version = localfiles.stamp(file)
        data = localfiles.read(file)
        if data is None:
            raise secretdata.missing(f"{kind} {name} ({file})", hint="give it on the command line")
        return {key: value.encode() for key, value in json.loads(data).items()}, f"{kind} {name} ({file})", version

    def _user_file(self, kind: str, name: str) -> Path:
        return self._path(_FOLDERS[kind]) / f"{localfiles.checked_name(name)}.json"

    def _purge(self) -> None:
        if not self.directory.is_dir():
            return
        with self._locked():
            self._path("kubeconfig").unlink(missing_ok=True)
            self._path(EVIDENCE).unlink(missing_ok=True)
            if self._path("pki").is_dir():
                shutil.rmtree(self._path("pki"))
            self._path("state.json").unlink(missing_ok=True)
            localfiles.sync_folder(self.directory)

    def _path(self, name: str) -> Path:
        return self.directory / name

    @contextmanager
    def _locked(self) -> Iterator[None]:
        localfiles.make_folder(self.directory)
        with localfiles.locked(self._path("lock")):
            yield


def _version(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
