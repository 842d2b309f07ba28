"""The network namespace in which the lab runs Argo CD: its doors lead out, nothing else does, and nothing inside is open to the outside."""

import http.server
import shutil
import socket
import subprocess
import sys
import threading

import pytest

from labkit.product import wait_for
from sealab.paths import SOURCE
from sealab.plane_process import end, spawn

pytestmark = pytest.mark.lab

ELSEWHERE = "192.0.2.66"
"""An address of no machine: inside it belongs to a door, outside to nobody."""
FETCH = "import sys, urllib.request as r; print(r.urlopen(sys.argv[1], timeout=5).read().decode())"
LISTEN = "import socket, sys, time; s = socket.create_server(('', int(sys.argv[1]))); print('open', flush=True); time.sleep(600)"


class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello " * 100_000)

    def log_message(self, *_):
        return


@pytest.fixture
def outside():
    """Ports of two web servers on the host's loopback."""
    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hello) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield [server.server_port for server in servers]
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def inside(outside, tmp_path):
    """Words before a command that put it inside, with a door to the first of the two servers and one to nowhere."""
    ready = tmp_path / "ready"
    doors = [f"127.0.0.1:{outside[0]}", f"{ELSEWHERE}:{outside[0]}"]
    command = [sys.executable, "-m", "sealab.argocd_cage", str(ready), *doors]
    cage = spawn(command, tmp_path / "cage.log", tmp_path, {"PYTHONPATH": str(SOURCE)})
    try:
        wait_for("the doors", ready.exists, 20, every=0.05)
        yield [str(shutil.which("nsenter")), f"--net=/proc/{cage.pid}/ns/net"]
    finally:
        end([cage])


def fetch(inside, address):
    return subprocess.run(
        [*inside, sys.executable, "-c", FETCH, f"http://{address}/"], capture_output=True, text=True, timeout=30, check=False
    )


def test_a_door_leads_out_and_walls_do_not(inside, outside):
    through = fetch(inside, f"127.0.0.1:{outside[0]}")
    assert through.stdout.count("hello") == 100_000, through.stderr
    assert "refused" in fetch(inside, f"127.0.0.1:{outside[1]}").stderr
    links = subprocess.run([*inside, "ip", "-brief", "link"], capture_output=True, text=True, check=True).stdout
    assert links.split()[0] == "lo"
    assert len(links.splitlines()) == 1


def test_a_door_to_an_address_is_there_although_nobody_answers_behind_it(inside, outside):
    with socket.socket() as probe:
        probe.settimeout(0.2)
        assert probe.connect_ex((ELSEWHERE, outside[0])) != 0
    said = fetch(inside, f"{ELSEWHERE}:{outside[0]}").stderr
    assert "refused" not in said
    assert "unreachable" not in said


def test_what_listens_everywhere_inside_is_not_seen_outside(inside):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen([*inside, sys.executable, "-c", LISTEN, str(port)], stdout=subprocess.PIPE, text=True) as listener:
        try:
            assert listener.stdout.readline() == "open\n"
            with socket.socket() as probe:
                assert probe.connect_ex(("127.0.0.1", port)) != 0
        finally:
            listener.kill()
