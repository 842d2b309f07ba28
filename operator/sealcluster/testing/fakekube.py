"""A strict API server in memory, behind `kube.transport.Transport`'s only method: the real `KubeClient` runs on it unchanged.

It keeps what a real one keeps: status subresource, generation, resourceVersion conflicts, server-side-apply ownership, finalizers,
defaults, pruning and validation by the CRD's schema, pages, watches that expire. Time is the loop's, so it fits into virtual time.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import yaml

from sealcluster.core.ports import Clock
from sealcluster.kube.errors import Answer, Unavailable
from sealcluster.testing.kubemodel import patches
from sealcluster.testing.kubemodel.refusal import Refusal, not_found
from sealcluster.testing.kubemodel.store import Kind, Object, Store

BUILTIN = (
    Kind("secrets", "Secret", "v1"),
    Kind("configmaps", "ConfigMap", "v1"),
    Kind("events", "Event", "events.k8s.io/v1"),
    Kind("namespaces", "Namespace", "v1"),
    Kind("leases", "Lease", "coordination.k8s.io/v1"),
)


class FakeKube:
    """A `Transport`. `latency` in seconds per request.

    Faults: `down` (no answer), `overloaded` (that many of the next requests get 429), `broken` (that many get 500), `deaf` (that many
    are carried out and their answer is lost), `forbidden` (verb and plural that get 403), `interfere` (that many writes find a newer version).
    """

    server = "https://fake.invalid"

    def __init__(self, clock: Clock, crd: Path | None = None, latency: float = 0.005) -> None:
        self._clock = clock
        self.latency = latency
        self.store = Store({kind.plural: kind for kind in BUILTIN})
        self.down = False
        self.overloaded = 0
        self.broken = 0
        self.deaf = 0
        self.interfere = 0
        self.forbidden: set[tuple[str, str]] = set()
        self.requests: list[tuple[str, str]] = []
        """Method and path of every request that arrived."""
        if crd is not None:
            self.install(yaml.safe_load(crd.read_text()))

    def install(self, crd: Object) -> None:
        """Know the storage version of a CustomResourceDefinition."""
        spec = crd["spec"]
        version = next(v for v in spec["versions"] if v["storage"])
        kind = Kind(
            spec["names"]["plural"],
            spec["names"]["kind"],
            f"{spec['group']}/{version['name']}",
            version["schema"]["openAPIV3Schema"],
            "status" in (version.get("subresources") or {}),
        )
        self.store.kinds[kind.plural] = kind

    async def request(
        self, method: str, url: str, *, doing: str, content_type: str = "application/json", body: Any = None, seconds: float = 30.0
    ) -> Answer:
        """One request."""
        await asyncio.sleep(self.latency)
        if self.down:
            raise Unavailable(f"{doing}: no answer from {self.server} within {seconds:g} s")
        parts = urlsplit(url)
        self.requests.append((method, parts.path))
        self.store.now = self._clock.now()
        try:
            self._trouble(method, parts.path)
            answer = self._serve(method, parts.path, dict(parse_qsl(parts.query)), content_type, json.loads(json.dumps(body)))
        except Refusal as refusal:
            headers = {"Retry-After": str(refusal.retry_after)} if refusal.retry_after else {}
            return Answer(refusal.code, json.dumps(refusal.status()).encode(), headers)
        if self.deaf > 0:
            self.deaf -= 1
            raise Unavailable(f"{doing}: the connection was lost before the answer")
        return Answer(201 if method == "POST" else 200, json.dumps(answer).encode())

    async def close(self) -> None:
        """Nothing is open."""

    def watch(self, plural: str, namespace: str | None = None, since: int = 0) -> AsyncIterator[tuple[str, Object]]:
        """ADDED, MODIFIED, DELETED after a version; ends with `Refusal` 410 when that is too old."""
        return self.store.watch(plural, namespace, since)

    def _trouble(self, method: str, path: str) -> None:
        plural = self._address(path)[0].plural
        if (method, plural) in self.forbidden:
            raise Refusal(403, "Forbidden", f"{plural} is forbidden: User cannot {method.lower()} resource")
        if self.overloaded > 0:
            self.overloaded -= 1
            raise Refusal(429, "TooManyRequests", "the server has received too many requests", retry_after=1)
        if self.broken > 0:
            self.broken -= 1
            raise Refusal(500, "InternalError", "etcdserver: request timed out")
        if self.interfere > 0 and method in ("PATCH", "PUT"):
            self.interfere -= 1
            self._touch(path)

    def _touch(self, path: str) -> None:
        kind, namespace, name, _ = self._address(path)
        key = (kind.plural, namespace or "", name)
        if key in self.store.objects:
            found = self.store.get(key)
            notes = found["metadata"].setdefault("annotations", {})
            notes["touched"] = str(int(notes.get("touched", "0")) + 1)
            self.store.update(kind, key, found)

    def _address(self, path: str) -> tuple[Kind, str | None, str, str]:
        words = path.strip("/").split("/")
        words = words[2:] if words[0] == "api" else words[3:]
        namespace = None
        if words[0] == "namespaces" and len(words) > 2:
            namespace, words = words[1], words[2:]
        kind = self.store.kinds.get(words[0])
        if kind is None:
            raise not_found(f"the server could not find the requested resource {words[0]}")
        return kind, namespace, words[1] if len(words) > 1 else "", words[2] if len(words) > 2 else ""

    def _serve(self, method: str, path: str, query: dict[str, str], content_type: str, body: Any) -> Object:
        kind, namespace, name, subresource = self._address(path)
        key = (kind.plural, namespace or "", name)
        if subresource and not (subresource == "status" and kind.status):
            raise not_found(f"{kind.plural}/{subresource}")
        if method == "GET":
            return self.store.get(key) if name else self._list(kind, namespace, query)
        if kind.kind == "Secret" and isinstance(body, dict) and "stringData" in body:
            clear = {k: base64.b64encode(v.encode()).decode() for k, v in body.pop("stringData").items()}
            body["data"] = {**(body.get("data") or {}), **clear}
        if method == "POST":
            return self.store.create(kind, namespace or "", body)
        if method == "DELETE":
            return self.store.delete(kind, key, (body or {}).get("preconditions") or {})
        if method == "PUT":
            return self.store.update(kind, key, body, subresource)
        if method != "PATCH":
            raise Refusal(405, "MethodNotAllowed", f"{method} is not supported")
        if content_type.startswith("application/apply-patch"):
            force = query.get("force") == "true"
            return self.store.apply(kind, key, body, query.get("fieldManager", ""), force=force, subresource=subresource)
        return self._patch(kind, key, content_type, body, subresource)

    def _patch(self, kind: Kind, key: tuple[str, str, str], content_type: str, body: Any, subresource: str) -> Object:
        old = self.store.get(key)
        new = patches.json_patch(old, body) if "json-patch" in content_type else patches.merge(old, body)
        return self.store.update(kind, key, new, subresource)

    def _list(self, kind: Kind, namespace: str | None, query: dict[str, str]) -> Object:
        found = [o for o in self.store.listed(kind.plural, namespace) if _selected(o, query.get("labelSelector", ""))]
        start = int(query.get("continue") or 0)
        limit = int(query.get("limit") or 0) or len(found) or 1
        rest = start + limit < len(found)
        metadata = {"resourceVersion": str(self.store.version)} | ({"continue": str(start + limit)} if rest else {})
        return {"apiVersion": kind.api_version, "kind": f"{kind.kind}List", "metadata": metadata, "items": found[start : start + limit]}


def _selected(found: Object, selector: str) -> bool:
    labels = found["metadata"].get("labels") or {}
    return all(labels.get(k) == v for k, _, v in (term.partition("=") for term in selector.split(",") if term))
