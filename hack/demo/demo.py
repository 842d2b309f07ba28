"""`make demo`: bare lab machines become a cluster before your eyes.

Machines and registry (the lab), a management plane (etcd, kube-apiserver and kube-controller-manager as processes), the
operator as a process, and `kubectl apply` of an example. Nothing here is part of the product.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import desk
import yaml
from rich.console import Console

from sealab import paths, plane
from sealab.clusterimage import build
from sealab.errors import LabError
from sealab.gobuild import binary
from sealab.machines import Lab, MachineSpec, lab_names, take_down
from sealab.machines_command import MARK
from sealab.registry import Registry, serve

NAME = "demo"
IMAGES = ("kubernetes:v1.34.4", "lab-cni:v1", "hello:v1")
HOME = paths.DATA / "demo-operator"
LOG = HOME / "operator.log"
MINUTES = 20
console = Console(highlight=False, soft_wrap=True)


class Onlooker:
    """Somebody who does something at certain moments; this one does nothing."""

    def machines(self, lab: Lab, registry: Registry, document: dict[str, Any]) -> None:
        """The machines are there, bare; the cluster is not asked for yet."""

    def looking(self, name: str, status: dict[str, Any]) -> None:
        """Some status on the way."""

    def ready(self, lab: Lab, name: str) -> None:
        """The cluster is Ready."""


def up(*, single: bool, onlooker: Onlooker | None = None) -> None:
    """Everything from nothing; ends when the cluster is Ready."""
    by = onlooker or Onlooker()
    clear()
    HOME.mkdir(parents=True)
    step("programs and cluster images (the first time they are built from source: about 10 minutes; later they are there)")
    for name in ("kubectl", "kube-apiserver", "kube-controller-manager", "etcd"):
        binary(name)
    for image in IMAGES:
        build(*image.split(":"))
    example = yaml.safe_load((desk.ROOT / "examples" / ("single.yaml" if single else "ha.yaml")).read_text())
    names = [host["name"] for host in example["spec"]["hosts"]]
    step("bare machines: systemd and sshd, nothing else")
    lab = Lab.up(NAME, [MachineSpec(n) for n in names], report=_boot)
    registry = serve(NAME, lab.bridge_address, IMAGES)
    document = fitted(example, lab, registry)
    by.machines(lab, registry, document)
    step("a management plane, and the operator in it")
    management = plane.Plane.up(NAME)
    desk.lay(management, document)
    prepare(management, lab)
    start_operator(management, registry)
    step("kubectl apply -f build/demo/cluster.yaml")
    print("   to look on from another shell:  . build/demo/env && kubectl seal status -w")
    management.kubectl("apply", "-f", str(desk.MANIFEST))
    name = document["metadata"]["name"]
    watch(management, name, by)
    desk.add(management, name)
    by.ready(lab, name)
    farewell(name, single=single)


def prepare(management: plane.Plane, lab: Lab) -> None:
    """The CRD and the Secret with the machines' key."""
    management.install(desk.ROOT / "crds", "/apis/sealcluster.io/v1alpha1/sealclusters")
    key = next(iter(lab.machines.values())).key
    management.kubectl("create", "secret", "generic", "lab-ssh", f"--from-file=ssh-privatekey={key}")


def start_operator(management: plane.Plane, registry: Registry) -> None:
    """The operator as a process that carries the lab's mark: taking the lab down ends it."""
    settings = {
        "SEALCLUSTER_KUBECONFIG": str(management.kubeconfig),
        "SEALCLUSTER_LISTEN_ADDRESS": "127.0.0.1",
        "SEALCLUSTER_LISTEN_PORT": "0",
        "SEALCLUSTER_STORE": str(HOME / "store"),
        "SEALCLUSTER_ARCHIVES": str(HOME / "archives"),
        "SEALCLUSTER_INSECURE_REGISTRIES": registry.address,
        "SEALCLUSTER_LOG_FORMAT": "console",
        MARK: NAME,
    }
    with LOG.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "sealcluster.controller"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **settings},
            start_new_session=True,
        )
    (HOME / "operator.pid").write_text(str(process.pid))


def fitted(example: dict[str, Any], lab: Lab, registry: Registry) -> dict[str, Any]:
    """The example with the addresses that this lab got."""
    for host in example["spec"]["hosts"]:
        host["address"] = lab.machines[host["name"]].address
    for image in example["spec"]["images"]:
        image["ref"] = registry.ref(image["ref"].partition("/")[2])
    return example


def watch(management: plane.Plane, name: str, by: Onlooker) -> None:
    """Print what status says while it changes, until Ready: a line for each step, with the machines by what they are at."""
    started, said, deadline = time.monotonic(), "", time.monotonic() + MINUTES * 60
    while time.monotonic() < deadline:
        status = json.loads(management.kubectl("get", "sealcluster", name, "-o", "json").stdout).get("status", {})
        conditions = {c["type"]: c for c in status.get("conditions", [])}
        now = next((kind for kind in ("Stalled", "Reconciling", "Ready") if conditions.get(kind, {}).get("status") == "True"), "Ready")
        seconds = int(time.monotonic() - started)
        clock = f"{seconds // 60:4}:{seconds % 60:02}"
        if now == "Ready" and conditions.get("Ready", {}).get("status") == "True":
            console.print(f"{clock}  [green]Ready[/green]: {conditions['Ready']['message']}")
            return
        text = conditions.get(now, {}).get("message", "")
        if text and text != said:
            said = text
            style = {"Stalled": "red", "Reconciling": ""}.get(now, "yellow")
            console.print(f"{clock}  ", end="")
            console.print(f"{text:44}", style=style, markup=False, end="")
            console.print(f"  {_by_state(status)}", style="dim")
        by.looking(name, status)
        time.sleep(0.5)
    raise LabError(f"waiting for the cluster: not Ready after {MINUTES} minutes; the operator's log is {LOG}")


def _by_state(status: dict[str, Any]) -> str:
    states: dict[str, list[str]] = {}
    for host in status.get("hosts", []):
        states.setdefault(host["state"], []).append(host["name"])
    return "; ".join(f"{state} {' '.join(names)}" for state, names in states.items())


def farewell(name: str, *, single: bool) -> None:
    """Nodes, the object, and commands that work when they are pasted."""
    step("the new cluster")
    desk.run("kubectl", "--context", name, "get", "nodes")
    step("the SealCluster, in the management plane")
    desk.run("kubectl", "get", "sealcluster", name)
    step(f"go on, from {desk.ROOT}")
    console.print(f"""\
. build/demo/env                        # kubectl, sealcluster and kubectl seal, for the contexts management and {name}
kubectl seal status                     # the machines as a tree, and the conditions
{f"kubectl --context {name} get pods -A":40}# in the new cluster
""")
    if not single:
        print("Remove the row of m5 in build/demo/cluster.yaml, and see m5 drained, cleaned and released; put it back, and it joins:")
        print("kubectl apply -f build/demo/cluster.yaml && kubectl seal status -w     # Ctrl-C ends looking, not the work\n")
    print(f"The operator's log is {LOG}")
    print("make demo-down                          # removes all of it; what was built stays, for the next time, in", paths.CACHE)


def down() -> None:
    """Operator, plane, machines, files; says what it does, for it may take a while."""
    if not (HOME.exists() or NAME in lab_names() or NAME in plane.names() or desk.HERE.exists()):
        print("there is no demo")
        return
    step("taking the demo down")
    clear()
    print(f"the demo is gone; what was built for it stays in {paths.CACHE}")


def clear() -> None:
    """Whatever there is of a demo, also of one that was interrupted."""
    pid = HOME / "operator.pid"
    if pid.exists() and _is_operator(int(pid.read_text())):
        os.kill(int(pid.read_text()), signal.SIGTERM)
    plane.down(NAME)
    take_down(NAME)
    shutil.rmtree(HOME, ignore_errors=True)
    desk.clear()


def _is_operator(pid: int) -> bool:
    command = Path("/proc", str(pid), "cmdline")
    return command.exists() and b"sealcluster.controller" in command.read_bytes()


def _boot(text: str) -> None:
    """Each machine that answers; the headline has said the rest."""
    if not text.startswith("booting"):
        console.print(text, markup=False)


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
        print(f"demo: {error}; make demo-down removes what there is", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo: interrupted; make demo-down removes what there is, make demo begins anew", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
