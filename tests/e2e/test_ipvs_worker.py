"""A worker whose kernel has IPVS gets lvscare: its virtual address balances over the masters and follows when one dies."""

import re

import pytest

from labkit.product import wait_for
from sealab import faults
from sealab.machines import Machine, MachineSpec

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]

VIRTUAL = "10.103.97.2"
ASK = f"for i in $(seq {{}}); do curl -sk --max-time 5 https://{VIRTUAL}:6443/healthz || exit 1; echo; done"


def connections(worker: Machine) -> dict[str, int]:
    """Connections that the kernel counts by real server of the virtual address."""
    service = re.compile(rf"TCP\s+{_hexadecimal(VIRTUAL)}:192B\s")
    found: dict[str, int] = {}
    inside = False
    for line in worker.exec("cat /proc/net/ip_vs").stdout.decode().splitlines():
        if line.strip().startswith("->"):
            server = re.fullmatch(r"-> ([0-9A-F]{8}):192B\s+Masq\s+(\d+)\s+(\d+)\s+(\d+)", line.strip())
            if inside and server and server[2] != "0":
                found[_dotted(server[1])] = int(server[3]) + int(server[4])
        else:
            inside = service.match(line) is not None
    return found


def _hexadecimal(address: str) -> str:
    return "".join(f"{int(part):02X}" for part in address.split("."))


def _dotted(word: str) -> str:
    return ".".join(str(int(word[n : n + 2], 16)) for n in range(0, 8, 2))


def answers(worker: Machine, times: int) -> bool:
    """True when every one of so many new connections to the virtual address reaches an API server."""
    asked = worker.exec(ASK.format(times), check=False, timeout=120)
    return asked.returncode == 0 and asked.stdout.decode().split() == ["ok"] * times


def test_the_virtual_address_balances_over_the_masters_and_follows_when_one_dies(managed):
    here = managed(3, MachineSpec("v1", kind="vm", memory_mib=2048, disk_gib=8))
    lab = here.site.lab
    worker = lab.machines["v1"]
    masters = {lab.machines[name].address for name in ("m1", "m2", "m3")}
    here.apply(here.site.document(["m1", "m2", "m3"], ["v1"], images=("kubernetes:v1.34.4", "lab-cni:v1")))
    here.ready(seconds=1200)
    assert here.cluster().ready_nodes() == {"m1", "m2", "m3", "v1"}
    assert worker.exec("ls /etc/kubernetes/manifests").stdout.decode().split() == ["kube-sealos-lvscare.yaml"]

    assert set(connections(worker)) == masters
    before = connections(worker)
    assert answers(worker, 12)
    after = connections(worker)
    assert all(after[m] > before[m] for m in masters), f"{before} and then {after}"

    faults.power_off(lab, lab.machines["m2"])
    rest = masters - {lab.machines["m2"].address}
    wait_for("the dead master to be left out", lambda: set(connections(worker)) == rest, 120)
    assert answers(worker, 12)
    here.told("Ready to turn False", lambda: here.condition("Ready").get("status") == "False", 300)
    assert "m2" in here.condition("ControlPlaneHealthy")["message"]

    faults.power_on(lab, lab.machines["m2"])
    wait_for("the master to be back", lambda: set(connections(worker)) == masters, 240)
    here.ready()
    assert answers(worker, 12)
