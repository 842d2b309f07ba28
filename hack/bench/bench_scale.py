"""`make bench-scale`: one operator with very many clusters, and with one very large cluster. Machines and API server are other processes.

What is measured is the operator's process: start-up, memory and CPU when nothing is to be done, the time of a pass, API requests; and apart
from it the processes of the machines and of the API server. SSH and TLS are not in it (docs/performance.md says what they cost).
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import scale_hosts
import yaml

HERE = Path(__file__).resolve().parent
CRD = HERE.parents[1] / "crds" / "sealclusters.sealcluster.io.yaml"
TICK = os.sysconf("SC_CLK_TCK")
LIMIT = 1200.0
SETTLE = 120.0
PASSES = 3
BETWEEN = 6.0
"""Seconds between two measured passes: a status is written every 5 seconds at most, and that wait is no part of a pass."""
MANY = {"memory_mib": 400, "idle_cpu_percent": 10}
"""Bounds of 1,000 clusters."""
LARGE = {"status_bytes": 1 << 20, "pass_seconds": 40}
"""Bounds of one cluster of 2,000 machines."""


def main() -> int:
    """Print one line of JSON per scenario; 1 when a bound is passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clusters", type=int, default=1000, help="clusters of 1 master and 2 workers")
    parser.add_argument("--hosts", type=int, default=2000, help="machines of the one large cluster; 0: leave it out")
    parser.add_argument("--idle", type=float, default=120.0, help="seconds of doing nothing that are measured")
    options = parser.parse_args()
    good = True
    if options.clusters:
        good &= report(f"{options.clusters} clusters of 3", measure(1, 2, options.clusters, options.idle), MANY)
    if options.hosts:
        good &= report(f"1 cluster of {options.hosts}", measure(3, options.hosts - 3, 1, options.idle), LARGE)
    return 0 if good else 1


def report(name: str, found: dict[str, Any], bounds: dict[str, int]) -> bool:
    """One line; False when a bound is passed."""
    sys.stdout.write(json.dumps({"scenario": name, **found}) + "\n")
    sys.stdout.flush()
    passed = [f"{key} {found[key]}, which must be below {most}" for key, most in bounds.items() if _worst(found[key]) >= most]
    for text in passed:
        sys.stderr.write(f"{name}: {text}\n")
    return not passed


def _worst(found: float | list[float]) -> float:
    return max(found) if isinstance(found, list) else found


def measure(masters: int, workers: int, clusters: int, idle: float) -> dict[str, Any]:
    """One scenario."""
    with tempfile.TemporaryDirectory(prefix="sealcluster-scale-") as directory:
        home = Path(directory)
        subprocess.run([sys.executable, str(HERE / "scale_world.py"), str(masters), str(workers), str(home / "world")], check=True)
        running: list[subprocess.Popen[str]] = []
        try:
            api = _child(running, "scale_api.py", str(CRD), str(home / "world"), str(clusters))
            assert api.stdout is not None
            port = int(api.stdout.readline())
            machines = _child(running, "scale_hosts.py", str(home / "world"), str(home / "wire"))
            assert machines.stdout is not None
            machines.stdout.readline()
            return _operator(home, port, clusters, idle, running)
        finally:
            for child in reversed(running):
                child.send_signal(signal.SIGTERM)
            for child in running:
                child.wait(60)


def _child(running: list[subprocess.Popen[str]], script: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, str(HERE / script), *arguments], stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )
    running.append(child)
    return child


def _operator(home: Path, port: int, clusters: int, idle: float, running: list[subprocess.Popen[str]]) -> dict[str, Any]:
    server = f"http://127.0.0.1:{port}"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "bench", "cluster": {"server": server}}],
        "users": [{"name": "bench", "user": {}}],
        "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
        "current-context": "bench",
    }
    (home / "kubeconfig").write_text(yaml.safe_dump(config))
    settings = {
        "SEALCLUSTER_KUBECONFIG": str(home / "kubeconfig"),
        "SEALCLUSTER_LISTEN_ADDRESS": "127.0.0.1",
        "SEALCLUSTER_LISTEN_PORT": str(port + 1),
        "SEALCLUSTER_LOG_LEVEL": "WARNING",
    }
    began = time.monotonic()
    child = _child(running, "scale_operator.py", str(home / "world"), str(home / "wire"), **settings)
    while (seen := _ready(port + 1)) < clusters:
        assert child.poll() is None, "the operator ended"
        assert time.monotonic() - began < LIMIT, f"{seen} of {clusters} clusters are ready"
        time.sleep(2)
    started = time.monotonic() - began
    start_cpu = _cpu(child.pid)
    time.sleep(SETTLE)  # the first round of looks is not yet the steady state
    api, machines = running[0].pid, running[1].pid
    before = {pid: _cpu(pid) for pid in (child.pid, api, machines)}
    requests, at, most = _requests(server), time.monotonic(), 0
    while (seconds := time.monotonic() - at) < idle:
        most = max(most, scale_hosts.open_connections(str(home / "wire")))
        time.sleep(1)
    share = {pid: round(100 * (_cpu(pid) - spent) / seconds, 1) for pid, spent in before.items()}
    found = {
        "startup_seconds": round(started, 1),
        "startup_cpu_seconds": round(start_cpu, 1),
        "idle_cpu_percent": share[child.pid],
        "api_requests_per_minute": round(60 * (_requests(server) - requests) / seconds),
        "memory_mib": _memory(child.pid),
        "most_connections_open": most,
        "connections_open": scale_hosts.open_connections(str(home / "wire")),
        "machines_cpu_percent": share[machines],
        "machines_memory_mib": _memory(machines),
        "api_server_cpu_percent": share[api],
        "api_server_memory_mib": _memory(api),
        "load": os.getloadavg()[0],
    }
    if clusters == 1:
        passes = [_pass(server, child.pid, f"bench-{number}") for number in range(PASSES)]
        found |= passes[-1] | {name: [one[name] for one in passes] for name in ("pass_seconds", "pass_cpu_seconds")}
    return found


def _pass(server: str, pid: int, word: str) -> dict[str, Any]:
    """A pass that a person asks for: from the annotation to the status that says that it was handled."""
    time.sleep(BETWEEN)
    url = f"{server}/apis/sealcluster.io/v1alpha1/namespaces/tenant-0/sealclusters/demo"
    patch = json.dumps({"metadata": {"annotations": {"sealcluster.io/retry": word}}}).encode()
    request = urllib.request.Request(url, patch, {"Content-Type": "application/merge-patch+json"}, method="PATCH")
    began, cpu = time.monotonic(), _cpu(pid)
    urllib.request.urlopen(request).close()
    while True:
        with urllib.request.urlopen(url) as answer:
            text = answer.read()
        status = json.loads(text)["status"]
        if status.get("lastHandledRetryAt") == word:
            return {
                "pass_seconds": round(time.monotonic() - began, 1),
                "pass_cpu_seconds": round(_cpu(pid) - cpu, 1),
                "status_bytes": len(json.dumps(status, separators=(",", ":"))),
                "object_bytes": len(text),
            }
        assert time.monotonic() - began < LIMIT
        time.sleep(0.2)


def _ready(port: int) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            lines = answer.read().decode().splitlines()
    except OSError:
        return 0
    return sum(line.startswith("sealcluster_ready{") and line.endswith(" 1.0") for line in lines)


def _requests(server: str) -> int:
    with urllib.request.urlopen(f"{server}/count") as answer:
        return int(json.loads(answer.read())["requests"])


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def _memory(pid: int) -> int:
    line = next(row for row in Path(f"/proc/{pid}/status").read_text().splitlines() if row.startswith("VmRSS"))
    return int(line.split()[1]) // 1024


if __name__ == "__main__":
    sys.exit(main())
