"""The lab's management plane: quick, real, side by side with others, and gone without a trace."""

import json
import os
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from sealab import paths
from sealab import plane as planes
from sealab.errors import LabError
from sealab.plane import Plane
from sealab.plane_process import Process, marked

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def name() -> Iterator[str]:
    chosen = f"t{secrets.token_hex(4)}"
    yield chosen
    planes.down(chosen)


def wait_for(reached: Callable[[], object], what: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, f"waiting for {what}"
        time.sleep(0.02)


def nothing_left(name: str) -> bool:
    folder = planes.folder_of(name)
    return not folder.exists() and not folder.with_suffix(".lock").exists() and not marked(folder)


def test_is_up_in_under_15_seconds_and_down_without_a_trace(name: str) -> None:
    started = time.monotonic()
    plane = Plane.up(name)
    assert time.monotonic() - started < 15
    assert plane.kubeconfig.stat().st_mode & 0o777 == 0o600
    assert len(marked(plane.folder)) == 3
    plane.down()
    assert nothing_left(name)
    plane.down()  # once more is no error


def test_speaks_tls_only_and_asks_for_rights(plane: Plane) -> None:
    user = yaml.safe_load(plane.kubeconfig.read_text())
    assert user["clusters"][0]["cluster"]["server"].startswith("https://127.0.0.1:")
    denied = plane.kubectl("get", "secrets", "--as=system:serviceaccount:default:default", check=False)
    assert denied.returncode != 0
    assert "Forbidden" in denied.stderr
    token = plane.kubectl("create", "token", "default").stdout.strip()
    stranger = plane.kubectl(
        "--kubeconfig=/dev/null", f"--server={plane.server}", "--insecure-skip-tls-verify", f"--token={token}", "get", "nodes", check=False
    )
    assert "Forbidden" in stranger.stderr
    host, port = plane.server.removeprefix("https://").split(":")
    with socket.create_connection((host, int(port))) as raw, pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(raw, server_hostname=host)


def test_runs_the_controllers_that_an_operator_relies_on(plane: Plane) -> None:
    plane.kubectl("create", "namespace", "tenant")
    wait_for(
        lambda: plane.kubectl("-n", "tenant", "get", "serviceaccount", "default", check=False).returncode == 0,
        "the namespace's service account",
    )
    owner = json.loads(plane.kubectl("-n", "tenant", "create", "configmap", "owner", "-o", "json").stdout)
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
    child = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "child", "ownerReferences": [reference]}}
    plane.kubectl("-n", "tenant", "apply", "-f", "-", input=json.dumps(child))
    plane.kubectl("-n", "tenant", "delete", "configmap", "owner")
    plane.kubectl("-n", "tenant", "wait", "--for=delete", "configmap/child", "--timeout=30s")
    plane.kubectl("delete", "namespace", "tenant", "--timeout=50s")


def test_two_planes_know_nothing_of_each_other(plane: Plane, name: str) -> None:
    other = Plane.up(name)
    assert {plane.name, name} <= set(planes.names())
    plane.kubectl("create", "configmap", "mine")
    assert other.kubectl("get", "configmap", "mine", check=False).returncode != 0
    other.down()
    plane.kubectl("get", "configmap", "mine")


def test_up_twice_is_the_same_plane_and_a_broken_one_is_made_anew(name: str) -> None:
    first = Plane.up(name)
    assert Plane.up(name) == first
    first.kubectl("create", "configmap", "mine")
    for process in marked(first.folder):
        if b"kube-apiserver" in Path(f"/proc/{process.pid}/cmdline").read_bytes():
            process.send(signal.SIGKILL)
            wait_for(lambda process=process: not process.alive, "the API server to die")
    assert Plane.find(name) is None
    second = Plane.up(name)
    assert second.kubectl("get", "configmap", "mine", check=False).returncode != 0


@pytest.mark.parametrize("processes", [0, 1, 2, 3])
def test_down_after_up_was_killed_leaves_nothing(name: str, processes: int) -> None:
    command = subprocess.Popen(
        [sys.executable, "-m", "sealab", "plane-up", "--name", name],
        env={**os.environ, "PYTHONPATH": str(paths.SOURCE)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    folder = planes.folder_of(name)
    wait_for(lambda: folder.exists() and len(marked(folder)) >= processes, f"{processes} processes")
    command.kill()
    command.wait()
    assert planes.folder_of(name).exists()
    planes.down(name)
    assert nothing_left(name)


def test_a_plane_whose_owner_was_killed_is_swept(name: str) -> None:
    owner = subprocess.Popen(["/bin/sleep", "60"])
    plane = Plane.up(name, owner=Process.of(owner.pid))
    assert name not in planes.sweep()
    owner.kill()
    owner.wait()
    assert name in planes.sweep()
    assert nothing_left(plane.name)


def test_failures_are_named(plane: Plane) -> None:
    with pytest.raises(LabError, match=r'running kubectl get configmap none: .* "none" not found'):
        plane.kubectl("get", "configmap", "none")
    with pytest.raises(LabError, match="naming a plane"):
        Plane.up("../etc")
