"""How our own records look as Secrets; pure."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Mapping
from typing import Any

from sealcluster.core.errors import TerminalError
from sealcluster.core.state import StateRecord
from sealcluster.kube.secretdata import encode

FINALIZER = "sealcluster.io/finalizer"
CLUSTER_LABEL = "sealcluster.io/cluster"
MANAGED_BY = {"app.kubernetes.io/managed-by": "sealcluster"}
CAPI_LABEL = "cluster.x-k8s.io/cluster-name"
CAPI_TYPE = "cluster.x-k8s.io/secret"

STATE_KEY = "state.json"
PACKED_KEY = "state.json.gz"
PACK_ABOVE = 256 * 1024
"""Bytes. A Secret holds at most 1 MiB; 2,000 hosts with RSA host keys exceed it, packed they need a third."""


UNPACKED_LIMIT = 32 << 20
"""Bytes; the record of 2,000 hosts has 4 MiB."""


def secret(cluster: str, suffix: str, data: Mapping[str, str | None], *, kind: str = "Opaque", kept: bool = True) -> dict[str, Any]:
    """The Secret `<cluster>-<suffix>`; `data` in base64. `kept`: it carries our finalizer. Never an ownerReference:
    deleting the SealCluster must not collect what its running machines still need."""
    labels = {**MANAGED_BY, CLUSTER_LABEL: cluster} | ({CAPI_LABEL: cluster} if kind == CAPI_TYPE else {})
    metadata = {"name": f"{cluster}-{suffix}", "labels": labels} | ({"finalizers": [FINALIZER]} if kept else {})
    return {"metadata": metadata, "type": kind, "data": {k: v for k, v in data.items() if v is not None}}


def is_ours(found: Mapping[str, Any], cluster: str) -> bool:
    """True when we made this Secret, for this cluster."""
    labels = found["metadata"].get("labels") or {}
    return all(labels.get(key) == value for key, value in (*MANAGED_BY.items(), (CLUSTER_LABEL, cluster)))


def pack_state(record: StateRecord) -> dict[str, str | None]:
    """`data` of the state Secret as a merge patch: exactly one of its two keys has a value."""
    text = record.dumps()
    if len(text) <= PACK_ABOVE:
        return {**encode({STATE_KEY: text}), PACKED_KEY: None}
    return {STATE_KEY: None, PACKED_KEY: base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()}


def unpack_state(data: Mapping[str, bytes], source: str) -> StateRecord:
    """The record in the Secret's data; TerminalError StateUnreadable when it is damaged or newer than this release."""
    try:
        raw = _unpacked(data[PACKED_KEY]) if PACKED_KEY in data else data[STATE_KEY]
        return StateRecord.loads(raw.decode())
    except KeyError as error:
        raise _unreadable(source, f"it has no key {STATE_KEY!r}") from error
    except (ValueError, zlib.error) as error:
        raise _unreadable(source, str(error)) from error


def _unpacked(packed: bytes) -> bytes:
    """A Secret of 1 MiB could unpack to 1 GiB."""
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    raw = unpacker.decompress(packed, UNPACKED_LIMIT)
    if not unpacker.eof:
        raise ValueError(f"it is cut off, or unpacks to more than {UNPACKED_LIMIT >> 20} MiB")
    return raw


def _unreadable(source: str, cause: str) -> TerminalError:
    return TerminalError(
        f"reading {source}: {cause}",
        reason="StateUnreadable",
        hint="restore it from a backup; a lost record cannot be made up from the hosts",
    )
