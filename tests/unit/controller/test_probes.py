"""The HTTP server for probes and metrics."""

import aiohttp

from sealcluster.controller.metrics import CONTENT_TYPE, Metrics
from sealcluster.controller.probes import ProbeServer


async def test_probes_say_what_is_wrong() -> None:
    wrong = {"alive": "", "ready": "the watch is starting"}
    server = ProbeServer(
        "127.0.0.1", 0, alive=lambda: wrong["alive"], ready=lambda: wrong["ready"], metrics=lambda: (Metrics(list).text(), CONTENT_TYPE)
    )
    async with server, aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as session:

        async def get(path: str) -> tuple[int, str]:
            async with session.get(path) as response:
                return response.status, await response.text()

        assert await get("/healthz") == (200, "ok")
        assert await get("/readyz") == (503, "the watch is starting")
        wrong["ready"], wrong["alive"] = "", "the watch ended"
        assert await get("/readyz") == (200, "ok")
        assert await get("/healthz") == (503, "the watch ended")
        status, text = await get("/metrics")
        assert status == 200
        assert "sealcluster_objects 0.0" in text
        assert "process_resident_memory_bytes" in text
