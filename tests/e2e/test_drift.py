"""What somebody else changes on machines is found, said and put right."""

import pytest

from labkit.product import wait_for
from sealab.machines import MachineSpec

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]

MANIFESTS = "/etc/kubernetes/manifests"


def drifted(here, words, seconds=120):
    """Wait until an event names the drift."""

    def look():
        events = here.plane.kubectl("get", "events", "-o", "jsonpath={range .items[*]}{.reason} {.message}{'\\n'}{end}").stdout
        return any(line.startswith("DriftFound") and words in line for line in events.splitlines())

    wait_for(f"an event DriftFound about {words}", look, seconds)


def test_drift_is_found_said_and_put_right(managed, fault):
    here = managed(MachineSpec("m1", cloud_hosts=True), MachineSpec("m2", cloud_hosts=True))
    lab, master, worker = here.site.lab, here.site.lab.machines["m1"], here.site.lab.machines["m2"]
    here.apply(here.site.document(["m1"], ["m2"]))
    here.ready()
    cluster = here.cluster()

    worker.exec("systemctl stop kubelet")
    drifted(here, "m2: kubelet.service is inactive")
    wait_for("kubelet to run", lambda: worker.exec("systemctl is-active kubelet", check=False).returncode == 0, 30)

    manifest = worker.exec(f"ls {MANIFESTS}").stdout.decode().split()[0]
    worker.exec(f"rm {MANIFESTS}/{manifest}")
    drifted(here, f"m2: {MANIFESTS}/{manifest} is gone")
    wait_for("the balancer's static pod", lambda: worker.exec(f"test -e {MANIFESTS}/{manifest}", check=False).returncode == 0, 30)

    master.exec(f"rm {MANIFESTS}/kube-scheduler.yaml")
    drifted(here, "m1: static pod kube-scheduler.yaml is gone")
    here.ready()
    wait_for(
        "the scheduler to run",
        lambda: [p for p in cluster.pods("component=kube-scheduler", "kube-system") if p["status"]["phase"] == "Running"],
        60,
    )

    worker.exec("sed -i '/sealcluster/d; /sealos.hub/d; /apiserver.cluster.local/d' /etc/hosts")
    drifted(here, "m2: our entries in /etc/hosts are changed")
    wait_for("our entries to be back", lambda: worker.exec("grep -q sealos.hub /etc/hosts", check=False).returncode == 0, 30)

    for machine in (worker, master):
        fault.reboot(lab, machine)
        assert b"sealos.hub" not in machine.exec("cat /etc/hosts").stdout, "the boot rewrote the file"
        wait_for("Ready=False or the entries to be back", lambda m=machine: b"sealos.hub" in m.exec("cat /etc/hosts").stdout, 180)
        here.ready()
    assert cluster.ready_nodes() == {"m1", "m2"}
