"""A real haproxy with our configuration in front of masters that come and go."""

import http.client
import os
import platform
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sealab.containers_apt import installed
from sealcluster.pki.authority import create_authority
from sealcluster.pki.client import create_client
from sealcluster.pki.keys import KeyAlgorithm
from sealcluster.pki.leaves import LeafSpec
from sealcluster.render.staticpod import haproxy_config

DEADLINE = 20.0


class Master:
    """An API server as far as a balancer sees one: TLS, /readyz, and its own name at every other path."""

    def __init__(self, address: str, port: int, context: ssl.SSLContext) -> None:
        self.ready = True
        master = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                failing = self.path == "/readyz" and not master.ready
                body = address.encode()
                self.send_response(500 if failing else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer((address, port), Handler)
        self.server.daemon_threads = True
        # a health check that only connects must not wait for a handshake in the accepting thread
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def context(tmp_path) -> ssl.SSLContext:
    now = datetime.now(UTC)
    ca = create_authority("ca", "kubernetes", timedelta(days=1), now, KeyAlgorithm.ECDSA_P256)
    serving = create_client(LeafSpec("apiserver", "ca", "kube-apiserver", (), ("server",), ("m",)), ca, timedelta(days=1), now)
    (tmp_path / "serving.pem").write_text(serving.certificate + serving.key.decode())
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(tmp_path / "serving.pem")
    return made


@pytest.fixture
def masters(context) -> Iterator[list[Master]]:
    port = free_port()
    started = [Master(f"127.0.0.{number}", port, context) for number in (2, 3, 4)]
    yield started
    for master in started:
        if master.thread.is_alive():
            master.stop()


def free_port() -> int:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        return server.server_port


@contextmanager
def running(config: Path) -> Iterator[subprocess.Popen[bytes]]:
    root = installed(["haproxy"])
    environment = {**os.environ, "LD_LIBRARY_PATH": str(root / "usr/lib" / f"{platform.machine()}-linux-gnu")}
    program = root / "usr/sbin/haproxy"
    checked = subprocess.run([program, "-c", "-f", config], env=environment, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "WARNING" not in checked.stderr
    with subprocess.Popen([program, "-db", "-f", config], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def ask(port: int) -> str | None:
    """Which master answered a new connection; None when none did."""
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=trusting)
    try:
        connection.request("GET", "/version")
        return connection.getresponse().read().decode()
    except OSError:
        return None
    finally:
        connection.close()


def until(holds: Callable[[], bool], what: str) -> None:
    ends = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < ends, f"not within {DEADLINE:.0f} s: {what}"
        time.sleep(0.05)


def answering(port: int) -> set[str | None]:
    return {ask(port) for _ in range(12)}


def test_it_balances_over_ready_masters_and_follows_them(tmp_path, masters):
    config, port = tmp_path / "haproxy.cfg", free_port()
    config.write_text(haproxy_config(port=port, masters=[f"{m.server.server_address[0]}:{m.server.server_port}" for m in masters]))
    everyone = {str(master.server.server_address[0]) for master in masters}
    with running(config) as process:
        until(lambda: answering(port) == everyone, "all masters are used")
        masters[0].ready = False
        until(lambda: answering(port) == everyone - {"127.0.0.2"}, "a master that is not ready gets nothing")
        masters[1].stop()
        until(lambda: answering(port) == {"127.0.0.4"}, "a dead master gets nothing")
        masters[0].ready = True
        until(lambda: answering(port) == {"127.0.0.2", "127.0.0.4"}, "a master that is ready again is used again")
        process.terminate()
        until(lambda: process.poll() is not None, "it stops at once")


def test_connections_to_a_dying_master_are_closed(tmp_path, masters):
    config, port = tmp_path / "haproxy.cfg", free_port()
    only = masters[0]
    config.write_text(haproxy_config(port=port, masters=[f"127.0.0.2:{only.server.server_port}"]))
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    with running(config):
        until(lambda: ask(port) == "127.0.0.2", "the master answers")
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=DEADLINE, context=trusting)
        connection.request("GET", "/version")
        assert connection.getresponse().read() == b"127.0.0.2"
        only.ready = False
        assert connection.sock.recv(1) == b""  # the kubelet's watch ends now, not after its own timeout
        connection.close()
