"""`make bench`: the product against the floor (a plain shell script over OpenSSH) in the same run, on fresh lab machines.

Both start with the images at hand: the script with them unpacked on its disk, the operator with them in its content store. The
operator's first pull into an empty store is measured apart. Ratios of one run are what counts: machines are shared and noisy.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from sealab import floor, paths, plane
from sealab.machines import Lab, MachineSpec, take_down
from sealab.registry import Registry, serve

ROOT = Path(__file__).resolve().parent.parent.parent
IMAGES = ("kubernetes:v1.34.4", "lab-cni:v1", "hello:v1")
SCENARIOS = {"1": (1, 0), "1+2": (1, 2), "3+2": (3, 2)}
LIMIT = 900.0
CLOCK_TICK = os.sysconf("SC_CLK_TCK")
QUIET = 8.0
"""Seconds without a command to any machine: idle looks are further apart."""
PORT = 18089
"""Where the operator tells its metrics."""


def names(masters: int, workers: int) -> tuple[list[str], list[str]]:
    """Names of machines."""
    return [f"m{n}" for n in range(1, masters + 1)], [f"w{n}" for n in range(1, workers + 1)]


def run_floor(masters: int, workers: int) -> float:
    """Seconds of the script."""
    lab = Lab.up("bench", [MachineSpec(n) for part in names(masters, workers) for n in part])
    try:
        return floor.run(lab, *names(masters, workers)).seconds if workers else _alone(lab)
    finally:
        take_down("bench")


def _alone(lab: Lab) -> float:
    return floor.run(lab, ["m1"], []).seconds


def run_product(masters: int, workers: int, store: Path, *, timeline: bool) -> dict[str, float]:
    """Seconds from apply to Ready, and what the operator used; the machines' journals on standard error if wanted."""
    home = paths.DATA / "bench-operator"
    home.mkdir(parents=True, exist_ok=True)
    lab = Lab.up("bench", [MachineSpec(n) for part in names(masters, workers) for n in part])
    process = None
    try:
        registry = serve("bench", lab.bridge_address, IMAGES)
        management = plane.Plane.up("bench")
        management.install(ROOT / "crds", "/apis/sealcluster.io/v1alpha1/sealclusters")
        key = next(iter(lab.machines.values())).key
        management.kubectl("create", "secret", "generic", "lab-ssh", f"--from-file=ssh-privatekey={key}")
        process = _operator(management, registry, store, home)
        deadline = time.monotonic() + 60
        while b"watching" not in (home / "operator.log").read_bytes() and time.monotonic() < deadline:
            time.sleep(0.05)
        sent = _sent_by_host(lab)
        started = time.monotonic()
        epoch = time.time()
        management.kubectl("apply", "-f", "-", input=json.dumps(_document(lab, registry, masters, workers)))
        _until_ready(management, started)
        seconds = time.monotonic() - started
        used = {"seconds": seconds, "sent_mb": (_sent_by_host(lab) - sent) / 1e6, **_used(process.pid), "ssh": _metric(COMMANDS)}
        _until_quiet()
        if timeline:
            print("\n".join(steps(lab, epoch)), file=sys.stderr)
        asked = _asked_pass(management)
        process.kill()
        process.wait()
        process = _operator(management, registry, store, home)
        return {**used, "noop_s": asked, "restart_s": _first_pass(home, masters + workers)}
    finally:
        if process is not None:
            process.terminate()
            process.wait()
        plane.down("bench")
        take_down("bench")


def _operator(management: plane.Plane, registry: Registry, store: Path, home: Path) -> subprocess.Popen[bytes]:
    settings = {
        "SEALCLUSTER_KUBECONFIG": str(management.kubeconfig),
        "SEALCLUSTER_LISTEN_ADDRESS": "127.0.0.1",
        "SEALCLUSTER_LISTEN_PORT": str(PORT),
        "SEALCLUSTER_STORE": str(store),
        "SEALCLUSTER_ARCHIVES": str(home / "archives"),
        "SEALCLUSTER_INSECURE_REGISTRIES": registry.address,
        "SEALCLUSTER_LOG_FORMAT": "console",
    }
    with (home / "operator.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "sealcluster.controller"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **settings},
        )


def _document(lab: Lab, registry: Registry, masters: int, workers: int) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "examples" / "ha.yaml").read_text())
    rows = [(n, "master") for n in names(masters, workers)[0]] + [(n, "node") for n in names(masters, workers)[1]]
    document["spec"]["hosts"] = [{"name": n, "address": lab.machines[n].address, "roles": [role]} for n, role in rows]
    for image in document["spec"]["images"]:
        image["ref"] = registry.ref(image["ref"].partition("/")[2])
    return document


def _until_ready(management: plane.Plane, started: float) -> None:
    while time.monotonic() - started < LIMIT:
        status = json.loads(management.kubectl("get", "sealcluster", "ha", "-o", "json").stdout).get("status", {})
        if any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", [])):
            return
        time.sleep(0.25)
    raise SystemExit(f"not Ready after {LIMIT:.0f} s: {json.dumps(status)[:3000]}")


def steps(lab: Lab, epoch: float) -> list[str]:
    """What each machine's journal says, a line a step: machine, step, begin and end in whole seconds since `epoch`."""
    lines = []
    for name, machine in lab.machines.items():
        begun: dict[tuple[str, ...], float] = {}
        for line in (machine.rootfs / "var/lib/sealcluster/journal").read_text().splitlines():
            _, at, state, *key, _, _ = line.split()
            if state == "started":
                begun[tuple(key)] = float(at)
            else:
                lines.append((begun[tuple(key)] - epoch, float(at) - epoch, f"{name} {key[0]} {state}"))
    return [f"{since:6.0f} {until:6.0f} {what}" for since, until, what in sorted(lines)]


def _until_quiet() -> None:
    """Return when the operator has sent no command for some seconds: what it had to do after Ready is done, and no idle look is near."""
    last, since = _metric(COMMANDS), time.monotonic()
    deadline = since + 180
    while time.monotonic() - since < QUIET:
        if time.monotonic() > deadline:
            raise SystemExit("the operator goes on sending commands to a cluster that is made")
        time.sleep(0.2)
        if (now := _metric(COMMANDS)) != last:
            last, since = now, time.monotonic()


def _asked_pass(management: plane.Plane) -> float:
    """Seconds from a person's wish for a pass (the retry annotation) until the status says that it was handled, with nothing to do."""
    wish = str(time.time_ns())
    began = time.monotonic()
    management.kubectl("annotate", "sealcluster", "ha", f"sealcluster.io/retry={wish}", "--overwrite")
    while time.monotonic() - began < LIMIT:
        if management.kubectl("get", "sealcluster", "ha", "-o", "jsonpath={.status.lastHandledRetryAt}").stdout.strip() == wish:
            return time.monotonic() - began
        time.sleep(0.05)
    raise SystemExit("the operator does not handle a wish for a pass")


def _first_pass(home: Path, machines: int) -> float:
    """Seconds that a new operator needs from its first look until it has seen every machine and finds the cluster Ready."""
    deadline = time.monotonic() + 60
    while b"watching" not in (home / "operator.log").read_bytes():
        if time.monotonic() > deadline:
            raise SystemExit("the second operator does not begin")
        time.sleep(0.02)
    began = time.monotonic()
    while _metric(READY) != 1 or _metric(COMMANDS) < machines:
        if time.monotonic() > deadline:
            raise SystemExit("the second operator does not find the cluster Ready")
        time.sleep(0.02)
    return time.monotonic() - began


COMMANDS = "sealcluster_ssh_commands_total"
READY = 'sealcluster_ready{name="ha",namespace="default"}'


def _metric(name: str) -> float:
    """The operator's own number; 0 while it says none."""
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics", timeout=10) as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith(f"{name} "):
                return float(line.split()[-1])
    return 0.0


def _sent_by_host(lab: Lab) -> int:
    """Bytes that this machine sent into the lab's bridge: all of the operator's, and the image registry's answers to nobody else."""
    link = next(line.split()[1] for line in subprocess.run(
        ["ip", "-o", "-4", "addr", "show", "to", lab.bridge_address], check=True, capture_output=True, text=True
    ).stdout.splitlines())  # fmt: skip
    return int(Path(f"/sys/class/net/{link}/statistics/tx_bytes").read_text())


def _used(pid: int) -> dict[str, float]:
    status = Path(f"/proc/{pid}/status").read_text()
    peak = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return {"peak_mib": peak / 1024, "cpu_s": (int(fields[11]) + int(fields[12])) / CLOCK_TICK}


def main() -> int:
    """Run the scenarios and print one table, as JSON with -o json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", default=list(SCENARIOS))
    parser.add_argument("--timeline", action="store_true", help="print each machine's steps with their times on standard error")
    parser.add_argument("-o", "--output", choices=("table", "json"), default="table")
    options = parser.parse_args()
    store = paths.CACHE / "bench" / "store"
    rows = []
    for scenario in options.scenarios:
        masters, workers = SCENARIOS[scenario]
        product = run_product(masters, workers, store, timeline=options.timeline)
        script = run_floor(masters, workers)
        rows.append({"scenario": scenario, "floor_s": script, **product, "ratio": product["seconds"] / script})
        print(json.dumps(rows[-1]), file=sys.stderr)
    if options.output == "json":
        print(json.dumps(rows, indent=1))
    else:
        print(
            f"{'machines':9} {'floor s':>8} {'product s':>10} {'ratio':>6} {'sent MB':>8} {'peak MiB':>9} {'CPU s':>6} {'SSH':>5}"
            f" {'no-op s':>8} {'restart s':>9}"
        )
        for row in rows:
            print(
                f"{row['scenario']:9} {row['floor_s']:8.1f} {row['seconds']:10.1f} {row['ratio']:6.2f} "
                f"{row['sent_mb']:8.0f} {row['peak_mib']:9.0f} {row['cpu_s']:6.1f} {row['ssh']:5.0f} {row['noop_s']:8.2f} {row['restart_s']:9.2f}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
