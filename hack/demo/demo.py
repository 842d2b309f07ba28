"""`make demo`: bare lab machines become a cluster before your eyes.

Machines and registry (the lab), a management plane (etcd, kube-apiserver and kube-controller-manager as processes), the
operator as a process, and `kubectl apply` of an example. Nothing here is part of the product.
"""

import argparse
import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from sealab import paths, plane
from sealab.errors import LabError
from sealab.gobuild import binary
from sealab.machines import Lab, MachineSpec, take_down
from sealab.machines_command import MARK
from sealab.registry import Registry, serve

NAME = "demo"
ROOT = Path(__file__).resolve().parent.parent.parent
IMAGES = ("kubernetes:v1.34.4", "lab-cni:v1", "hello:v1")
MINUTES = 20
console = Console(highlight=False, soft_wrap=True)


def up(*, single: bool) -> None:
    """Everything from nothing; ends when the cluster is Ready."""
    down(quiet=True)
    home = paths.DATA / "demo-operator"
    home.mkdir(parents=True)
    step("building what the lab needs (the first time: Kubernetes from source, about 10 minutes)")
    for name in ("kubectl", "kube-apiserver", "kube-controller-manager", "etcd"):
        binary(name)
    example = yaml.safe_load((ROOT / "examples" / ("single.yaml" if single else "ha.yaml")).read_text())
    names = [host["name"] for host in example["spec"]["hosts"]]
    step(f"booting {len(names)} bare machines")
    lab = Lab.up(NAME, [MachineSpec(n) for n in names], report=console.print)
    registry = serve(NAME, lab.bridge_address, IMAGES)
    step("starting a management plane")
    management = plane.Plane.up(NAME)
    prepare(management, lab)
    start_operator(management, registry, home)
    step("kubectl apply -f sealcluster.yaml")
    document = fitted(example, lab, registry)
    file = home / "sealcluster.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    management.kubectl("apply", "-f", str(file))
    watch(management, document["metadata"]["name"], home)
    farewell(management, document["metadata"]["name"], home)


def prepare(management: plane.Plane, lab: Lab) -> None:
    """The CRD and the Secret with the machines' key."""
    management.install(ROOT / "crds", "/apis/sealcluster.io/v1alpha1/sealclusters")
    key = next(iter(lab.machines.values())).key
    management.kubectl("create", "secret", "generic", "lab-ssh", f"--from-file=ssh-privatekey={key}")


def start_operator(management: plane.Plane, registry: Registry, home: Path) -> None:
    """The operator as a process that carries the lab's mark: taking the lab down ends it."""
    step("starting the operator")
    settings = {
        "SEALCLUSTER_KUBECONFIG": str(management.kubeconfig),
        "SEALCLUSTER_LISTEN_ADDRESS": "127.0.0.1",
        "SEALCLUSTER_LISTEN_PORT": "0",
        "SEALCLUSTER_STORE": str(home / "store"),
        "SEALCLUSTER_ARCHIVES": str(home / "archives"),
        "SEALCLUSTER_INSECURE_REGISTRIES": registry.address,
        "SEALCLUSTER_LOG_FORMAT": "console",
        MARK: NAME,
    }
    with (home / "operator.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "sealcluster.controller"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **settings},
            start_new_session=True,
        )
    (home / "operator.pid").write_text(str(process.pid))


def fitted(example: dict[str, Any], lab: Lab, registry: Registry) -> dict[str, Any]:
    """The example with the addresses that this lab got."""
    for host in example["spec"]["hosts"]:
        host["address"] = lab.machines[host["name"]].address
    for image in example["spec"]["images"]:
        image["ref"] = registry.ref(image["ref"].partition("/")[2])
    return example


def watch(management: plane.Plane, name: str, home: Path) -> None:
    """Print what status says while it changes, until Ready."""
    started, said, deadline = time.monotonic(), "", time.monotonic() + MINUTES * 60
    while time.monotonic() < deadline:
        status = json.loads(management.kubectl("get", "sealcluster", name, "-o", "json").stdout).get("status", {})
        conditions = {c["type"]: c for c in status.get("conditions", [])}
        for kind in ("Stalled", "Reconciling", "Ready"):
            condition = conditions.get(kind, {})
            if condition.get("status") == "True":
                text = f"{kind}: {condition['reason']}: {condition['message']}"
                if text != said:
                    said = text
                    hosts = " ".join(f"{h['name']}={h['state']}" for h in status.get("hosts", []))
                    console.print(f"{time.monotonic() - started:6.1f}s  {text}\n         [dim]{hosts}[/dim]")
                break
        if conditions.get("Ready", {}).get("status") == "True":
            return
        time.sleep(0.5)
    raise LabError(f"waiting for the cluster: not Ready after {MINUTES} minutes; the operator's log is {home / 'operator.log'}")


def farewell(management: plane.Plane, name: str, home: Path) -> None:
    """Nodes, status, and how to go on."""
    secret = json.loads(management.kubectl("get", "secret", f"{name}-kubeconfig", "-o", "json").stdout)
    kubeconfig = home / "kubeconfig"
    kubeconfig.write_bytes(base64.b64decode(secret["data"]["value"]))
    kubeconfig.chmod(0o600)
    kubectl = binary("kubectl")
    step("the new cluster")
    subprocess.run([kubectl, "--kubeconfig", kubeconfig, "get", "nodes", "-o", "wide"], check=True)
    subprocess.run([kubectl, "--kubeconfig", kubeconfig, "get", "pods", "-A"], check=True)
    step("the SealCluster")
    print(management.kubectl("get", "sealcluster", name).stdout)
    step("go on")
    print(f"export KUBECONFIG={kubeconfig}                  # the new cluster")
    print(f"export KUBECONFIG={management.kubeconfig}       # the management plane")
    print(f"{kubectl} get nodes")
    print("make demo-down                                  # removes every trace")


def down(*, quiet: bool = False) -> None:
    """Operator, plane, machines, files."""
    home = paths.DATA / "demo-operator"
    pid = home / "operator.pid"
    if pid.exists() and _is_operator(int(pid.read_text())):
        os.kill(int(pid.read_text()), signal.SIGTERM)
    plane.down(NAME)
    take_down(NAME)
    shutil.rmtree(home, ignore_errors=True)
    if not quiet:
        step("the demo is gone")


def _is_operator(pid: int) -> bool:
    command = Path("/proc", str(pid), "cmdline")
    return command.exists() and b"sealcluster.controller" in command.read_bytes()


def step(text: str) -> None:
    """A headline."""
    console.print(f"[bold]== {text}[/bold]")


def main() -> int:
    """`demo.py up [--single]` or `demo.py down`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("up", "down"))
    parser.add_argument("--single", action="store_true")
    options = parser.parse_args()
    try:
        if options.what == "up":
            up(single=options.single)
        else:
            down()
    except LabError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
