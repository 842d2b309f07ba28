"""A process with the fake API server over HTTP: the objects of one finished cluster in as many namespaces as wanted, with watches."""

import asyncio
import copy
import json
import pickle
import sys
from pathlib import Path
from typing import Any

from aiohttp import web

from sealcluster.compose import SystemClock
from sealcluster.testing.fakekube import FakeKube
from sealcluster.testing.kubemodel.refusal import Refusal

GROUP, VERSION, PLURAL = "sealcluster.io", "v1alpha1", "sealclusters"
RESOURCE = {
    "name": PLURAL,
    "singularName": "sealcluster",
    "namespaced": True,
    "kind": "SealCluster",
    "verbs": ["get", "list", "watch", "patch"],
}
GROUP_VERSION = {"groupVersion": f"{GROUP}/{VERSION}", "version": VERSION}
DISCOVERY: dict[str, Any] = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": []},
    "/apis": {"kind": "APIGroupList", "groups": [{"name": GROUP, "versions": [GROUP_VERSION], "preferredVersion": GROUP_VERSION}]},
    f"/apis/{GROUP}": {"kind": "APIGroup", "name": GROUP, "versions": [GROUP_VERSION], "preferredVersion": GROUP_VERSION},
    f"/apis/{GROUP}/{VERSION}": {
        "kind": "APIResourceList",
        "groupVersion": f"{GROUP}/{VERSION}",
        "resources": [RESOURCE, RESOURCE | {"name": f"{PLURAL}/status"}],
    },
}


class Server:
    """Answers on a free port of loopback, which it prints."""

    def __init__(self, crd: Path, objects: dict[Any, Any], clusters: int) -> None:
        self.kube = FakeKube(SystemClock(), crd, latency=0.0)
        store = self.kube.store
        for number in range(clusters):
            for (plural, _, name), value in objects.items():
                body = copy.deepcopy(value)
                store.version += 1
                body["metadata"] |= {
                    "namespace": f"tenant-{number}",
                    "uid": f"{number:08d}-{body['metadata']['uid'][9:]}",
                    "resourceVersion": str(store.version),
                }
                store.objects[plural, f"tenant-{number}", name] = body
        store.oldest = store.version

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Everything."""
        if request.path == "/count":
            return web.json_response({"requests": len(self.kube.requests)})
        if request.path in DISCOVERY:
            return web.json_response(DISCOVERY[request.path])
        if request.query.get("watch"):
            return await self._watch(request)
        text = await request.text()
        found = await self.kube.request(
            request.method, request.raw_path, doing="", content_type=request.content_type, body=json.loads(text) if text else None
        )
        return web.Response(status=found.status, body=found.body, content_type="application/json")

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        since = int(request.query.get("resourceVersion") or self.kube.store.version)
        if request.query.get("sendInitialEvents") == "true":
            since = self.kube.store.version
            for body in self.kube.store.listed(PLURAL, None):
                await response.write(json.dumps({"type": "ADDED", "object": body}).encode() + b"\n")
            end = {"resourceVersion": str(since), "annotations": {"k8s.io/initial-events-end": "true"}}
            mark = {"kind": "SealCluster", "apiVersion": f"{GROUP}/{VERSION}", "metadata": end}
            await response.write(json.dumps({"type": "BOOKMARK", "object": mark}).encode() + b"\n")
        try:
            async with asyncio.timeout(float(request.query.get("timeoutSeconds", "600"))):
                async for event, body in self.kube.watch(PLURAL, since=since):
                    await response.write(json.dumps({"type": event, "object": body}).encode() + b"\n")
        except TimeoutError:
            pass  # as long as was asked for
        except Refusal as refusal:
            await response.write(json.dumps({"type": "ERROR", "object": refusal.status()}).encode() + b"\n")
        return response


async def main(server: Server) -> None:
    """Serve until killed."""
    application = web.Application(client_max_size=16 << 20)
    application.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Server(Path(sys.argv[1]), pickle.loads(Path(sys.argv[2]).read_bytes())["objects"], int(sys.argv[3]))))
