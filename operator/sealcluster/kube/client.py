"""A thin client of one API server: dictionaries in, dictionaries out, errors that say which object and which verb.

What is worth trying again (no answer, 429, 5xx) is tried again here, with growing waits and within a bound; everything that comes out of
here is for the caller to decide on.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import stamina

from sealcluster.kube.errors import Answer, Conflict, Refused, Unavailable, error_of
from sealcluster.kube.resources import PODS, Resource
from sealcluster.kube.transport import Transport

FIELD_MANAGER = "sealcluster"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
MOST_PAGES = 400
"""A list that goes on after 100,000 objects is no list that we want: the server may be a tenant's."""
PAGE = 250
"""Objects per page of a list: a Node is about 10 KiB, a page must not take tens of MiB."""

Object = dict[str, Any]


def worth_another_try(error: Exception) -> bool | float:
    """For stamina: False, True (its own waits) or the seconds that the server asked for."""
    if not isinstance(error, Unavailable) or not error.again:
        return False
    return error.retry_after if error.retry_after is not None else True


class KubeClient:
    """Verbs on objects. `attempts` and `patience` (seconds) bound one call including its retries, `timeout` bounds one request."""

    def __init__(
        self, transport: Transport, *, server: str | None = None, timeout: float = 30.0, attempts: int = 5, patience: float = 60.0
    ) -> None:
        self._transport = transport
        self.server = (server or transport.server).rstrip("/")
        self._timeout = timeout
        self._attempts = attempts
        self._patience = patience

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> Object:
        """The object; NotFound when there is none."""
        return await self._call("GET", resource, namespace, name)

    async def find(self, resource: Resource, name: str, namespace: str | None = None) -> Object | None:
        """The object, or None."""
        answer = await self._send("GET", resource, namespace, name, accept=(404,))
        return None if answer.status == 404 else _object(answer, f"getting {resource.kind} {name}")

    async def pages(
        self, resource: Resource, namespace: str | None = None, *, labels: str = "", fields: str = "", page: int = PAGE
    ) -> AsyncIterator[Object]:
        """Every object that the selectors match, one page in memory at a time (of one moment: an expired page is an Unavailable)."""
        token = ""
        for _ in range(MOST_PAGES):
            query = {"limit": str(page), "labelSelector": labels, "fieldSelector": fields, "continue": token}
            answer = await self._call("GET", resource, namespace, query={k: v for k, v in query.items() if v})
            for item in answer.get("items") or ():
                yield item
            token = (answer.get("metadata") or {}).get("continue") or ""
            if not token:
                return
        raise Unavailable(f"listing {resource.plural}: more than {MOST_PAGES} pages", answered=True, again=False)

    async def create(self, resource: Resource, body: Object, namespace: str | None = None) -> Object:
        """Create; Conflict(exists) when the name is taken."""
        return await self._call("POST", resource, namespace, body=_typed(resource, body), query={"fieldManager": FIELD_MANAGER})

    async def patch(
        self,
        resource: Resource,
        name: str,
        patch: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        namespace: str | None = None,
        *,
        subresource: str | None = None,
        content_type: str | None = None,
    ) -> Object:
        """Patch: without a content type a mapping is a merge patch, a sequence a JSON patch. Conflict also when a `test` of a JSON patch fails."""
        kind = content_type or (MERGE_PATCH if isinstance(patch, Mapping) else JSON_PATCH)
        query = {"fieldManager": FIELD_MANAGER}
        try:
            return await self._call("PATCH", resource, namespace, name, subresource=subresource, body=patch, content_type=kind, query=query)
        except Refused as error:
            # A failed test and a path that is not there are 422 without any detail; what the schema refuses names its field.
            tests = not isinstance(patch, Mapping) and any(step.get("op") == "test" for step in patch)
            if tests and error.status == 422 and not error.named:
                raise Conflict(f"{error.message} (a test of the patch failed)") from error
            raise

    async def apply(
        self,
        resource: Resource,
        body: Object,
        namespace: str | None = None,
        *,
        subresource: str | None = None,
        manager: str = FIELD_MANAGER,
    ) -> Object:
        """Server-side apply: the fields in `body` become ours, those that we applied before and that are missing now go away."""
        query = {"fieldManager": manager, "force": "true"}
        name = body["metadata"]["name"]
        return await self._call(
            "PATCH", resource, namespace, name, subresource=subresource, body=_typed(resource, body), content_type=APPLY_PATCH, query=query
        )

    async def delete(
        self, resource: Resource, name: str, namespace: str | None = None, *, uid: str | None = None, version: str | None = None
    ) -> bool:
        """Ask for deletion; False when it was gone already. Conflict when UID or resourceVersion is another one."""
        preconditions = {k: v for k, v in (("uid", uid), ("resourceVersion", version)) if v}
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions}
        return (await self._send("DELETE", resource, namespace, name, body=body, accept=(404,))).status != 404

    async def evict(self, name: str, namespace: str) -> bool:
        """Evict a pod through the Eviction API; False when it was gone already.

        Tried once: Unavailable with `causes` when a budget forbids it now.
        """
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace}}
        answer = await self._send("POST", PODS, namespace, name, subresource="eviction", body=body, accept=(404,), attempts=1)
        return answer.status != 404

    async def raw(self, path: str) -> bytes:
        """GET a path that is no object, such as ``/readyz``."""
        return (await self._attempt_all("GET", path, f"getting {path} of {self.server}", accept=())).body

    async def _call(self, verb: str, resource: Resource, namespace: str | None = None, name: str | None = None, **how: Any) -> Object:
        answer = await self._send(verb, resource, namespace, name, **how)
        return _object(answer, _doing(verb, resource, namespace, name or _name_of(how.get("body")), how.get("subresource")))

    async def _send(
        self,
        verb: str,
        resource: Resource,
        namespace: str | None,
        name: str | None = None,
        *,
        subresource: str | None = None,
        body: Any = None,
        content_type: str = "application/json",
        query: Mapping[str, str] | None = None,
        accept: tuple[int, ...] = (),
        attempts: int | None = None,
    ) -> Answer:
        path = resource.path(namespace, name, subresource)
        doing = _doing(verb, resource, namespace, name or _name_of(body), subresource)
        return await self._attempt_all(
            verb,
            path + ("?" + urlencode(query) if query else ""),
            doing,
            body=body,
            content_type=content_type,
            accept=accept,
            attempts=attempts,
        )

    async def _attempt_all(
        self, verb: str, path: str, doing: str, *, accept: tuple[int, ...], attempts: int | None = None, **how: Any
    ) -> Answer:
        """Send until there is an answer that decides. A Conflict after a lost answer says so: the earlier attempt may have worked."""
        lost = False
        retries = stamina.retry_context(
            on=worth_another_try,
            attempts=attempts or self._attempts,
            timeout=self._patience,
            wait_initial=0.2,
            wait_max=5.0,
            wait_jitter=0.3,
        )
        async for attempt in retries:
            with attempt:
                try:
                    answer = await self._transport.request(verb, self.server + path, doing=doing, seconds=self._timeout, **how)
                    if answer.status >= 300 and answer.status not in accept:
                        raise error_of(answer, doing)
                except Unavailable:
                    lost = True
                    raise
                except Conflict as error:
                    error.after_lost_reply = lost
                    raise
        return answer


def _object(answer: Answer, doing: str) -> Object:
    try:
        data = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise Unavailable(f"{doing}: the answer is not JSON; is there a proxy in between?", answered=True, again=False) from error
    if not isinstance(data, dict):
        raise Unavailable(f"{doing}: the answer is not an object", answered=True, again=False)
    return data


def _typed(resource: Resource, body: Object) -> Object:
    return {"apiVersion": resource.api_version, "kind": resource.kind, **body}


def _name_of(body: Any) -> str:
    return str(body.get("metadata", {}).get("name") or "") if isinstance(body, Mapping) else ""


_VERBS = {"GET": "getting", "POST": "creating", "PUT": "replacing", "PATCH": "patching", "DELETE": "deleting"}


def _doing(verb: str, resource: Resource, namespace: str | None, name: str | None, subresource: str | None) -> str:
    if not name:
        return f"listing {resource.plural}" + (f" in {namespace}" if namespace else "")
    what = f"{resource.kind} {namespace}/{name}" if namespace else f"{resource.kind} {name}"
    return f"{_VERBS[verb]} {what}" if subresource is None else f"{_VERBS[verb]} the {subresource} of {what}"
