"""The durable state record of one cluster: what must not be lost and cannot be observed.

It is the Secret `<name>-state`, or a file for the command line.

It is written by compare-and-swap *before* the first touch of a host. Everything in it is plain data without secrets.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

FORMAT = 1
READABLE = 50
"""Hosts up to which the record is written with line breaks; larger ones are written often, and that costs ten times the time."""
NO_RECORD = "reading the state record: it is not a SealCluster state record"


@dataclass(frozen=True, slots=True)
class InventoryRow:
    """A host that we touched and did not release yet; enough to reach and clean it after its row left the spec."""

    name: str
    address: str
    port: int
    roles: tuple[str, ...]
    machine_id: str
    host_key: str
    """OpenSSH public key line (``ssh-ed25519 AAAA…``) that the host showed; never replaced silently."""
    user: str = "root"
    credentials_secret: str = ""
    node_ip: str = ""
    leaving: bool = False
    """True from the moment its removal began: it is drained and cleaned even if the row comes back."""
    registry: bool = False
    """It serves the cluster's registry, or did: which one that is must not depend on who answers at the moment."""
    clean: tuple[str, ...] = ()
    """Texts of the image's clean scripts, so that cleaning needs no image."""
    clean_env: Mapping[str, str] = field(default_factory=dict)
    """What they expand; the image's own env, no secrets."""


@dataclass(frozen=True, slots=True)
class FirstKey:
    """The key that a machine showed before it was claimed: accepted on first use, from then on the only one."""

    address: str
    port: int
    key: str
    """OpenSSH public key line."""


@dataclass(frozen=True, slots=True)
class InitRecord:
    """The one `kubeadm init` of the cluster."""

    attempt: int = 0
    host: str = ""
    """Where the attempt was made; empty once that machine was released without a success."""
    etcd_cluster_id: str = ""
    """Set once, after success; from then on no code path may init again or create a CA."""
    ca_hash: str = ""

    @property
    def initialized(self) -> bool:
        """True once the cluster exists."""
        return bool(self.etcd_cluster_id)


BEGUN = -1


@dataclass(frozen=True, slots=True)
class GuestRecord:
    """How the commands of one image ended."""

    digest: str
    """Covers the image's digest, its commands and its env: a change runs it again."""
    rc: int
    """BEGUN from before they start until their end was seen."""
    host: str = ""
    time: float = 0.0


@dataclass(frozen=True, slots=True)
class StateRecord:
    """One cluster's memory."""

    cluster_id: str
    fence: int = 0
    holder: str = ""
    init: InitRecord = field(default_factory=InitRecord)
    inventory: Mapping[str, InventoryRow] = field(default_factory=dict)
    guests: Mapping[str, GuestRecord] = field(default_factory=dict)
    rootfs: Mapping[str, str] = field(default_factory=dict)
    """Digest of the rootfs image that the cluster was made from, by architecture."""
    version: str = ""
    made_from: Mapping[str, str] = field(default_factory=dict)
    """What is built into the cluster, as the spec had it when `kubeadm init` was begun: `api.made_from`. Empty in records of releases that did
    not write it down."""
    pki_created: bool = False
    first_keys: Mapping[str, FirstKey] = field(default_factory=dict)
    """By name of the host, as long as its row is in the spec and not in the inventory, which then keeps the key."""
    bastion_keys: Mapping[str, str] = field(default_factory=dict)
    """Keys of jump hosts that were accepted on first use, by ``address:port``."""
    changing: str = ""
    """The machine on which a change of etcd's members (a join, a removal) was begun and not seen to end: while it cannot be seen, none begins
    elsewhere."""

    def with_host(self, row: InventoryRow) -> StateRecord:
        """A copy whose inventory holds this row."""
        first = {name: key for name, key in self.first_keys.items() if name != row.name}
        return replace(self, inventory={**self.inventory, row.name: row}, first_keys=first)

    def without_host(self, name: str) -> StateRecord:
        """A copy without this row. An init that was tried there and never known to succeed is tried elsewhere, under a new number."""
        init = replace(self.init, host="") if self.init.host == name and not self.init.initialized else self.init
        changing = "" if self.changing == name else self.changing
        return replace(self, init=init, changing=changing, inventory={k: v for k, v in self.inventory.items() if k != name})

    def with_guest(self, image: str, record: GuestRecord) -> StateRecord:
        """A copy that remembers how this image's commands ended."""
        return replace(self, guests={**self.guests, image: record})

    def dumps(self) -> str:
        """JSON, stable order, with the format's number."""
        indent = 1 if len(self.inventory) <= READABLE else None
        return json.dumps({"format": FORMAT, **_fields(self)}, sort_keys=True, indent=indent, default=_fields)

    @classmethod
    def loads(cls, text: str) -> StateRecord:
        """Read what `dumps` of this or an earlier release wrote; a newer format is refused (ValueError)."""
        try:
            data = json.loads(text)
        except RecursionError as error:
            raise ValueError(NO_RECORD) from error
        if not isinstance(data, dict) or not isinstance(data.get("cluster_id"), str):
            raise ValueError(NO_RECORD)
        if not isinstance(number := data.pop("format", 0), int) or number > FORMAT:
            raise ValueError("reading the state record: a newer release wrote it; run that release or newer")
        try:
            return cls._of(data)
        except (TypeError, AttributeError) as error:
            raise ValueError(f"reading the state record: {error}") from error

    @classmethod
    def _of(cls, data: dict[str, Any]) -> StateRecord:
        data["init"] = InitRecord(**data.get("init", {}))
        data["inventory"] = {
            name: InventoryRow(**{**row, "roles": tuple(row.get("roles", ())), "clean": tuple(row.get("clean", ()))})
            for name, row in data.get("inventory", {}).items()
        }
        data["first_keys"] = {name: FirstKey(**row) for name, row in data.get("first_keys", {}).items()}
        data["guests"] = {name: GuestRecord(**row) for name, row in data.get("guests", {}).items()}
        return cls(**data)


def _fields(record: Any) -> dict[str, Any]:
    """One level of a record; unlike `dataclasses.asdict` it copies nothing below."""
    return {f.name: getattr(record, f.name) for f in fields(record)}
