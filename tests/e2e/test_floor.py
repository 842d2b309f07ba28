"""A plain shell script makes a cluster of the lab's machines and images: what the product is measured against."""

import json
import os
from pathlib import Path

import pytest

from labkit.machines import Machines
from sealab import floor
from sealab.machines import MachineSpec
from sealab.paths import CACHE

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

RECORD = Path(os.environ.get("SEALAB_FLOOR_RECORD", CACHE / "bench" / "floor-3+2.json"))


def test_a_shell_script_makes_three_masters_and_two_workers(machines: Machines) -> None:
    masters, workers = ["m1", "m2", "m3"], ["w1", "w2"]
    lab = machines(*(MachineSpec(name) for name in (*masters, *workers)))
    measured = floor.run(lab, masters, workers)
    kubectl = "kubectl --kubeconfig /etc/kubernetes/admin.conf"
    nodes = json.loads(lab.machines["m1"].exec(f"{kubectl} get nodes -o json").stdout)["items"]
    ready = {
        node["metadata"]["name"]
        for node in nodes
        if any(condition["type"] == "Ready" and condition["status"] == "True" for condition in node["status"]["conditions"])
    }
    assert ready == {*masters, *workers}
    pods = json.loads(lab.machines["m1"].exec(f"{kubectl} get pods -l app=hello -o json").stdout)["items"]
    assert {pod["spec"]["nodeName"] for pod in pods} == set(workers)
    assert list(measured.stages)[-1] == "service"
    assert all(received > 100_000_000 for received in measured.received_bytes.values())
    RECORD.parent.mkdir(parents=True, exist_ok=True)
    RECORD.write_text(json.dumps(measured.as_json()))
