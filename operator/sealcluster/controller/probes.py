"""The HTTP server for liveness, readiness and metrics. It answers from the main event loop: one that hangs fails the probe."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

Health = Callable[[], str]
"""What is wrong, for a person; empty: nothing."""


class ProbeServer:
    """``/healthz``, ``/readyz`` (200 or 503 and why) and ``/metrics``. Use as a context manager."""

    def __init__(self, address: str, port: int, *, alive: Health, ready: Health, metrics: Callable[[], tuple[bytes, str]]) -> None:
        self._address = address
        self._port = port
        self._metrics = metrics
        application = web.Application()
        application.router.add_get("/healthz", _probe(alive))
        application.router.add_get("/readyz", _probe(ready))
        application.router.add_get("/metrics", self._exposition)
        self._runner = web.AppRunner(application, access_log=None)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._runner.addresses[0][1])

    async def __aenter__(self) -> ProbeServer:
        await self._runner.setup()
        await web.TCPSite(self._runner, self._address, self._port).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _exposition(self, request: web.Request) -> web.Response:
        text, content_type = self._metrics()
        return web.Response(body=text, headers={"Content-Type": content_type})


def _probe(health: Health) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        wrong = health()
        return web.Response(text=wrong or "ok", status=503 if wrong else 200)

    return answer
