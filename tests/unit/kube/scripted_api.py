"""An HTTP server that answers what a test told it to, in that order, and remembers what it was asked."""

import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from kubernetes.aio.client.configuration import Configuration

from sealcluster.kube.transport import Transport

LOST = object()
"""The connection is closed without an answer."""


@dataclass
class Asked:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass
class ScriptedAPI:
    transport: Transport
    answers: deque[Any] = field(default_factory=deque)
    asked: list[Asked] = field(default_factory=list)

    def will(self, *answers: Any) -> None:
        """Each is LOST, a status, or (status, body[, headers]). Unscripted requests get 200 and {}."""
        self.answers.extend(answers)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        self.asked.append(
            Asked(request.method, request.path, dict(request.query), dict(request.headers), json.loads(text) if text else None)
        )
        answer = self.answers.popleft() if self.answers else (200, {})
        if answer is LOST:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        status, body, *headers = (answer, {}) if isinstance(answer, int) else answer
        return web.json_response(body, status=status, headers=headers[0] if headers else None)


@asynccontextmanager
async def scripted_api() -> AsyncIterator[ScriptedAPI]:
    configuration = Configuration(host="http://127.0.0.1:1", api_key={"BearerToken": "Bearer s3cret"})
    api = ScriptedAPI(Transport(configuration))
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", api.handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    api.transport.server = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield api
    await api.transport.close()
    await runner.cleanup()


def refusal(code: int, reason: str, message: str, **details: Any) -> tuple[int, dict[str, Any]]:
    return code, {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message,
        "details": details,
    }
