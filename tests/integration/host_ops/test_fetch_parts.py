"""Parts are fetched from a distribution server, with curl and without, and verified."""

import contextlib
import hashlib
import os
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from sealcluster.core.ops import FetchParts
from sealcluster.core.ports import FactsQuery
from sshkit.ops import do, done


class Distribution(BaseHTTPRequestHandler):
    """Serves blobs to those who know the password."""

    blobs: ClassVar[dict[str, bytes]] = {}
    seen: ClassVar[list[str]] = []

    def do_GET(self):
        self.seen.append(self.headers.get("Authorization", ""))
        body = self.blobs.get(self.path.rpartition("sha256:")[2])
        if self.headers.get("Authorization") != "Basic YWRtaW46c3dvcmRmaXNo":
            self.send_response(401)
            self.end_headers()
        elif body is None or not self.path.startswith("/v2/sealcluster/parts/blobs/"):
            self.send_response(404)
            self.end_headers()
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

    def log_message(self, *_):
        return


@pytest.fixture
def server():
    Distribution.blobs, Distribution.seen = {}, []
    with ThreadingHTTPServer(("127.0.0.1", 0), Distribution) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield http
        http.shutdown()


def without_curl(m1):
    """A PATH with everything but curl."""
    folder = m1.box.bin
    for directory in ("/usr/bin", "/bin", "/usr/sbin"):
        for file in Path(directory).iterdir():
            if file.name != "curl" and not (folder / file.name).exists():
                (folder / file.name).symlink_to(file)
    object.__setattr__(m1.box.layout, "path", str(folder))
    m1.port_ = m1.port()


@pytest.mark.parametrize("curl", [True, False], ids=["curl", "bash"])
async def test_parts_are_fetched_and_verified(m1, server, curl):
    if not curl:
        without_curl(m1)
    elif not shutil.which("curl"):
        pytest.skip("this machine has no curl")
    data = [os.urandom(n) for n in (0, 10, 70_000, 3_000_000, 5, 6)]
    digests = [hashlib.sha256(d).hexdigest() for d in data]
    server.RequestHandlerClass.blobs = dict(zip(digests, data, strict=True))
    where = f"127.0.0.1:{server.server_port}"
    result = await done(m1, FetchParts(where, "sealcluster/parts", tuple(digests), "admin", "swordfish"))
    assert (await m1.port_.facts(FactsQuery())).parts == set(digests)
    assert "swordfish" not in result.log
    asked = len(Distribution.seen)
    await done(m1, FetchParts(where, "sealcluster/parts", tuple(digests), "admin", "swordfish"))
    assert len(Distribution.seen) == asked


@pytest.mark.parametrize("curl", [True, False], ids=["curl", "bash"])
@pytest.mark.parametrize("fault", ["corrupt", "absent", "password"])
async def test_a_bad_download_leaves_nothing(m1, server, fault, curl):
    if not curl:
        without_curl(m1)
    elif not shutil.which("curl"):
        pytest.skip("this machine has no curl")
    wanted = hashlib.sha256(b"right").hexdigest()
    server.RequestHandlerClass.blobs = {wanted: b"wrong"} if fault == "corrupt" else {wanted: b"right"} if fault == "password" else {}
    password = "other word" if fault == "password" else "swordfish"
    result = await do(m1, FetchParts(f"127.0.0.1:{server.server_port}", "sealcluster/parts", (wanted,), "admin", password))
    assert result.rc == 1
    assert "1 failed" in result.log
    assert (await m1.port_.facts(FactsQuery())).parts == frozenset()
    assert {"corrupt": "sha256", "absent": "404", "password": "401"}[fault] in result.log


@pytest.mark.parametrize("curl", [True, False], ids=["curl", "bash"])
async def test_parts_that_do_not_fit_are_told_and_leave_room(m1, server, little, curl):
    if not curl:
        without_curl(m1)
    elif not shutil.which("curl"):
        pytest.skip("this machine has no curl")
    data = [os.urandom(n) for n in (6_000_000, 10)]
    large, small = (hashlib.sha256(d).hexdigest() for d in data)
    server.RequestHandlerClass.blobs = dict(zip((large, small), data, strict=True))
    where = f"127.0.0.1:{server.server_port}"
    result = await do(m1, FetchParts(where, "sealcluster/parts", (large,), "admin", "swordfish"))
    assert result.rc == 1
    assert not list((little / "store").glob("*.get"))
    await done(m1, FetchParts(where, "sealcluster/parts", (small,), "admin", "swordfish"))
    assert (await m1.port_.facts(FactsQuery())).parts == {small}


async def test_parts_come_straight_from_the_server(m1, server, tmp_path):
    """What root has in ~/.curlrc or in its environment: the registry's password would go to that proxy."""
    curl = shutil.which("curl")
    if not curl:
        pytest.skip("this machine has no curl")
    proxy = f"http://127.0.0.1:{server.server_port}"
    (tmp_path / ".curlrc").write_text(f'proxy = "{proxy}"\n')
    m1.box.tool("curl", f'#!/bin/sh\nexport HOME={tmp_path} http_proxy={proxy}\nexec {curl} "$@"\n')
    result = await do(m1, FetchParts("127.0.0.1:9", "sealcluster/parts", ("ab" * 32,), "admin", "swordfish"))
    assert "1 failed" in result.log
    assert Distribution.seen == []
