"""Objects with versions, generations, owners, finalizers and watchers, as an API server keeps them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sealcluster.testing.kubemodel import ownership, patches, schema
from sealcluster.testing.kubemodel.refusal import Refusal, conflict, invalid, not_found
from sealcluster.testing.kubemodel.trees import copied

Object = dict[str, Any]
Key = tuple[str, str, str]
"""Plural, namespace (empty: none), name."""

SERVER_METADATA = ("uid", "creationTimestamp", "deletionTimestamp", "generation", "managedFields", "resourceVersion")
HISTORY = 1000


@dataclass
class Kind:
    """A resource that this server knows."""

    plural: str
    kind: str
    api_version: str
    schema: dict[str, Any] | None = None
    status: bool = False
    """True: it has a status subresource, so neither side can write the other's part."""


@dataclass
class Store:
    """Everything in the server's etcd."""

    kinds: dict[str, Kind] = field(default_factory=dict)
    objects: dict[Key, Object] = field(default_factory=dict)
    owners: dict[Key, dict[tuple[str, str], set[ownership.Path]]] = field(default_factory=dict)
    """By object: (manager, ``status`` or empty) to what it applied."""
    version: int = 100
    oldest: int = 0
    """Watches from before this version are expired (410)."""
    events: list[tuple[int, str, Object]] = field(default_factory=list)
    now: float = 1_800_000_000.0
    _made: int = 0
    _watchers: set[asyncio.Event] = field(default_factory=set)

    # --- reading -----------------------------------------------------------------------------------------------
    def get(self, key: Key) -> Object:
        """A copy. Raises `Refusal` 404."""
        found = self.objects.get(key)
        if found is None:
            raise not_found(f'{key[0]} "{key[2]}"')
        return copied(found)

    def listed(self, plural: str, namespace: str | None) -> list[Object]:
        """Copies, by namespace and name."""
        keys = sorted(k for k in self.objects if k[0] == plural and (namespace is None or k[1] == namespace))
        return [copied(self.objects[k]) for k in keys]

    # --- writing -----------------------------------------------------------------------------------------------
    def create(self, kind: Kind, namespace: str, body: Object) -> Object:
        """Create. Raises `Refusal` 409 for a taken name, 422 for what the schema refuses."""
        metadata = dict(body.get("metadata") or {})
        key = (kind.plural, namespace, str(metadata.get("name") or ""))
        if key in self.objects:
            raise Refusal(409, "AlreadyExists", f'{kind.plural} "{key[2]}" already exists')
        if metadata.get("resourceVersion"):
            raise Refusal(400, "BadRequest", "resourceVersion should not be set on objects to be created")
        self._made += 1
        new = {k: v for k, v in body.items() if k != "metadata" and not (kind.status and k == "status")}
        new["metadata"] = {k: v for k, v in metadata.items() if k not in SERVER_METADATA} | {
            "namespace": namespace,
            "uid": f"00000000-0000-4000-8000-{self._made:012d}",
            "creationTimestamp": self._time(),
            "generation": 1,
        }
        return self._store(kind, key, self._admitted(kind, new), "ADDED")

    def update(self, kind: Kind, key: Key, new: Object, subresource: str = "") -> Object:
        """Replace what this endpoint may change. Raises `Refusal` 404, 409, 422."""
        old = self.get(key)
        metadata, wanted = old["metadata"], new.get("metadata") or {}
        for name in ("resourceVersion", "uid"):
            if wanted.get(name) not in (None, "", metadata[name]):
                raise conflict(f'{key[0]} "{key[2]}"')
        result = copied(old)
        if subresource == "status":
            result["status"] = new.get("status") or {}
        else:
            result = {k: v for k, v in new.items() if not (kind.status and k == "status")}
            if kind.status and "status" in old:
                result["status"] = old["status"]
            result["metadata"] = {k: v for k, v in wanted.items() if k not in SERVER_METADATA} | {
                k: metadata[k] for k in SERVER_METADATA if k in metadata
            }
            self._check_finalizers(key, metadata, wanted)
        result = self._admitted(kind, result)
        if _same(old, result):
            return old
        if _body(old, kind) != _body(result, kind):
            result["metadata"]["generation"] = metadata["generation"] + 1
        if "deletionTimestamp" in result["metadata"] and not result["metadata"].get("finalizers"):
            return self._forget(kind, key, result)
        return self._store(kind, key, result, "MODIFIED")

    def apply(self, kind: Kind, key: Key, body: Object, manager: str, *, force: bool, subresource: str = "") -> Object:
        """Server-side apply. Raises `Refusal` 404 (a subresource of nothing), 409 (owned by another manager, or an old version)."""
        applied = {k: v for k, v in body.items() if k not in ("apiVersion", "kind", "metadata")}
        metadata = {k: v for k, v in (body.get("metadata") or {}).items() if k in ("labels", "annotations", "finalizers")}
        if metadata and not subresource:
            applied["metadata"] = metadata
        if key not in self.objects:
            if subresource:
                raise not_found(f'{key[0]} "{key[2]}"')
            self.create(kind, key[1], {"metadata": {"name": key[2]}, **applied})
        old = self.get(key)
        rules = (kind.schema or {}) | {}
        new_fields = ownership.fields(applied, rules)
        owners = self.owners.setdefault(key, {})
        me = (manager, subresource)
        self._contest(key, owners, me, new_fields, ownership.fields(old, rules), force=force)
        result = ownership.merged(old, applied, rules)
        others = set().union(*(paths for who, paths in owners.items() if who != me))
        for path in owners.get(me, set()) - set(new_fields) - others:
            result = ownership.without(result, path, rules)
        version = (body.get("metadata") or {}).get("resourceVersion")
        result["metadata"] = result.get("metadata", {}) | ({"resourceVersion": version} if version else {})
        stored = self.update(kind, key, result, subresource)
        owners[me] = set(new_fields)
        return stored

    def _contest(
        self,
        key: Key,
        owners: dict[tuple[str, str], set[ownership.Path]],
        me: tuple[str, str],
        new: dict[ownership.Path, Any],
        old: dict[ownership.Path, Any],
        *,
        force: bool,
    ) -> None:
        for who, paths in owners.items():
            taken = [p for p in paths & set(new) if who != me and old.get(p) != new[p]]
            if taken and not force:
                raise Refusal(409, "Conflict", f'Apply failed with {len(taken)} conflict: conflict with "{who[0]}": {taken[0]}')
            paths.difference_update(taken)

    def delete(self, kind: Kind, key: Key, preconditions: dict[str, str]) -> Object:
        """Delete, or mark for deletion while finalizers hold it. Raises `Refusal` 404, 409."""
        found = self.get(key)
        metadata = found["metadata"]
        for name in ("uid", "resourceVersion"):
            if preconditions.get(name) not in (None, "", metadata[name]):
                raise Refusal(
                    409, "Conflict", f"Precondition failed: {name} in precondition: {preconditions[name]}, in object: {metadata[name]}"
                )
        if not metadata.get("finalizers"):
            return self._forget(kind, key, found)
        if "deletionTimestamp" in metadata:
            return found
        metadata["deletionTimestamp"] = self._time()
        metadata["generation"] += 1
        return self._store(kind, key, found, "MODIFIED")

    def _admitted(self, kind: Kind, new: Object) -> Object:
        new["apiVersion"], new["kind"] = kind.api_version, kind.kind
        if kind.schema is None:
            return new
        body = {k: v for k, v in new.items() if k not in ("apiVersion", "kind", "metadata")}
        rules = {**kind.schema, "required": [r for r in kind.schema.get("required") or () if r not in ("apiVersion", "kind", "metadata")]}
        body = schema.defaulted(schema.pruned(body, rules), rules)
        found = schema.faults(body, rules)
        if found:
            raise invalid(f'{kind.kind} "{new["metadata"].get("name")}"', tuple(found))
        return {**body, "apiVersion": kind.api_version, "kind": kind.kind, "metadata": new["metadata"]}

    @staticmethod
    def _check_finalizers(key: Key, old: Object, wanted: Object) -> None:
        fresh = set(wanted.get("finalizers") or ()) - set(old.get("finalizers") or ())
        if "deletionTimestamp" in old and fresh:
            message = f"Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers {sorted(fresh)}"
            raise invalid(f'{key[0]} "{key[2]}"', (("metadata.finalizers", message),))

    def _store(self, kind: Kind, key: Key, new: Object, event: str) -> Object:
        self.version += 1
        new["metadata"]["resourceVersion"] = str(self.version)
        self.objects[key] = kept = copied(new)
        self._publish(event, kept)  # nobody gets at either but through a copy
        return copied(new)

    def _forget(self, kind: Kind, key: Key, last: Object) -> Object:
        self.version += 1
        self.objects.pop(key, None)
        self.owners.pop(key, None)
        last["metadata"]["resourceVersion"] = str(self.version)
        self._publish("DELETED", copied(last))
        return last

    # --- watching ----------------------------------------------------------------------------------------------
    def _publish(self, event: str, new: Object) -> None:
        self.events.append((self.version, event, new))
        if len(self.events) > HISTORY:
            self.oldest = self.events.pop(0)[0]
        for watcher in self._watchers:
            watcher.set()

    def compact(self) -> None:
        """Forget history, as etcd does: every watch that is behind expires."""
        self.oldest = self.version
        self.events.clear()
        for watcher in self._watchers:
            watcher.set()

    async def watch(self, plural: str, namespace: str | None, since: int) -> AsyncIterator[tuple[str, Object]]:
        """Events after a version. Raises `Refusal` 410 when that version is too old."""
        kind = self.kinds[plural].kind
        news = asyncio.Event()
        self._watchers.add(news)
        try:
            seen = since
            while True:
                if seen < self.oldest:
                    raise Refusal(410, "Expired", f"too old resource version: {seen} ({self.oldest})")
                news.clear()
                for version, event, found in [e for e in self.events if e[0] > seen]:
                    seen = version
                    if found["kind"] == kind and namespace in (None, found["metadata"].get("namespace")):
                        yield event, copied(found)
                await news.wait()
        finally:
            self._watchers.discard(news)

    def _time(self) -> str:
        return datetime.fromtimestamp(self.now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _body(found: Object, kind: Kind) -> Object:
    left = ("metadata", "status") if kind.status else ("metadata",)
    return {k: v for k, v in found.items() if k not in left}


def _same(old: Object, new: Object) -> bool:
    ignored: Object = {"metadata": {"resourceVersion": None}}
    return bool(patches.merge(old, ignored) == patches.merge(new, ignored))
