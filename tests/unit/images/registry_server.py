"""A registry in the test's own process, that can misbehave in every way that a test names."""

from __future__ import annotations

import asyncio
import base64
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiohttp import web

from unit.images.builders import INDEX, MANIFEST, Image, index, sha

_SOME = 100_000


@dataclass
class Faults:
    """What goes wrong; numbers count down."""

    cut_after: dict[str, int] = field(default_factory=dict)
    """Blob digest -> bytes after which the connection is closed, every time."""
    cuts: int = 0
    """How many times `cut_after` applies."""
    wrong: dict[str, bytes] = field(default_factory=dict)
    """Digest -> other bytes."""
    length: dict[str, int] = field(default_factory=dict)
    """Digest -> Content-Length that lies."""
    endless: set[str] = field(default_factory=set)
    fail_status: list[int] = field(default_factory=list)
    """Statuses of the next answers."""
    ignore_range: bool = False
    retry_after: str = ""


class Registry:
    """Serves images; with credentials when `auth` is "basic" or "bearer"."""

    def __init__(self, auth: str = "", user: tuple[str, str] = ("user", "pa:ss")) -> None:
        self.auth = auth
        self.user = user
        self.faults = Faults()
        self.requests: Counter[str] = Counter()
        self.sent = 0
        self.sent_some = asyncio.Event()
        self.authorizations: list[str] = []
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, tuple[str, bytes]] = {}
        self.redirect_blobs_to = ""
        self.address = ""
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Registry:
        app = web.Application()
        app.router.add_get("/token", self._token)
        app.router.add_get("/v2/{repository:.+}/manifests/{wanted}", self._manifest)
        app.router.add_get("/v2/{repository:.+}/blobs/{digest}", self._blob)
        app.router.add_get("/elsewhere/{digest}", self._elsewhere)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.address = f"{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def add(self, images: Sequence[Image], tag: str = "v1", *, as_index: bool = True) -> str:
        """Offer images under a tag; returns the reference."""
        for image in images:
            self.blobs |= image.blobs()
            self.manifests[f"sha256:{sha(image.manifest())}"] = (MANIFEST, image.manifest())
        data, media_type = (index(images), INDEX) if as_index else (images[0].manifest(), MANIFEST)
        self.manifests[tag] = self.manifests[f"sha256:{sha(data)}"] = (media_type, data)
        return f"{self.address}/labring/kubernetes:{tag}"

    def _refusal(self, request: web.Request) -> web.Response | None:
        if self.faults.fail_status:
            headers = {"Retry-After": self.faults.retry_after} if self.faults.retry_after else {}
            return web.json_response({"errors": [{"code": "TOOMANYREQUESTS"}]}, status=self.faults.fail_status.pop(0), headers=headers)
        given = request.headers.get("Authorization", "")
        self.authorizations.append(given)
        basic = "Basic " + base64.b64encode(":".join(self.user).encode()).decode()
        wanted = {"": given, "basic": basic, "bearer": "Bearer good-token"}[self.auth]
        if given == wanted:
            return None
        scope = f'scope="repository:{request.match_info["repository"]}:pull"'
        bearer = f'Bearer realm="http://{self.address}/token",service="test, registry",{scope}'
        return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="x"' if self.auth == "basic" else bearer})

    async def _token(self, request: web.Request) -> web.Response:
        self.requests["token"] += 1
        given = request.headers.get("Authorization", "")
        basic = "Basic " + base64.b64encode(":".join(self.user).encode()).decode()
        if given != basic:
            return web.Response(status=401)
        assert request.query["service"] == "test, registry"
        assert request.query["scope"] == "repository:labring/kubernetes:pull"
        return web.json_response({"token": "good-token", "expires_in": 300})

    async def _manifest(self, request: web.Request) -> web.Response:
        self.requests["manifest"] += 1
        if (refusal := self._refusal(request)) is not None:
            return refusal
        wanted = request.match_info["wanted"]
        if wanted not in self.manifests:
            return web.json_response({"errors": [{"code": "MANIFEST_UNKNOWN", "message": "s3cret internal detail"}]}, status=404)
        media_type, data = self.manifests[wanted]
        data = self.faults.wrong.get(wanted, data)
        return web.Response(
            body=data, content_type=media_type, headers={"Docker-Content-Digest": f"sha256:{sha(self.manifests[wanted][1])}"}
        )

    async def _blob(self, request: web.Request) -> web.StreamResponse:
        self.requests["blob"] += 1
        if (refusal := self._refusal(request)) is not None:
            return refusal
        digest = request.match_info["digest"].removeprefix("sha256:")
        if self.redirect_blobs_to:
            raise web.HTTPTemporaryRedirect(f"{self.redirect_blobs_to}/elsewhere/{digest}")
        return await self._content(request, digest)

    async def _elsewhere(self, request: web.Request) -> web.StreamResponse:
        self.requests["elsewhere"] += 1
        self.authorizations.append(request.headers.get("Authorization", ""))
        return await self._content(request, request.match_info["digest"])

    async def _content(self, request: web.Request, digest: str) -> web.StreamResponse:
        data = self.faults.wrong.get(digest, self.blobs.get(digest))
        if data is None:
            return web.Response(status=404)
        start, status, headers = 0, 200, {}
        if (wanted := request.headers.get("Range")) and not self.faults.ignore_range:
            self.requests["range"] += 1
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            status, headers = 206, {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}
        response = web.StreamResponse(status=status, headers=headers)
        endless = digest in self.faults.endless
        if not endless:
            response.content_length = self.faults.length.get(digest, len(data) - start)
        await response.prepare(request)
        stop = len(data)
        if digest in self.faults.cut_after and self.faults.cuts > 0:
            self.faults.cuts -= 1
            stop = min(stop, start + self.faults.cut_after[digest])
        try:
            await response.write(data[start:stop])
            self.sent += stop - start
            if stop - start >= _SOME:
                self.sent_some.set()
            while endless:
                await response.write(b"\0" * 65_536)
        except ConnectionError:
            return response
        if stop < len(data) and request.transport is not None:
            request.transport.close()
        return response
