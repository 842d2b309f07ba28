"""A disk that runs full while a machine receives its files: said with the place, and gone on with when there is room again."""

import time

import pytest

from labkit.product import journal
from labkit.tinyimage import add_tiny
from sealab.machines import MachineSpec

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

MIB = 1 << 20


def test_a_disk_that_runs_full_while_files_arrive_is_named_and_the_rest_is_sent_later(managed, fault):
    here = managed(MachineSpec("m1"), images=())
    lab, machine = here.site.lab, here.site.lab.machines["m1"]
    fault.throttle(lab, machine, "40mbit")
    document = here.site.document(["m1"])
    document["spec"]["images"] = [{"name": "tiny", "ref": add_tiny(here.site.registry, "tiny:v1", ballast=96 * MIB)}]
    here.apply(document)
    owner, deadline = machine.rootfs / "var/lib/sealcluster/owner", time.monotonic() + 60
    while not owner.exists():
        assert time.monotonic() < deadline, here.story()
        time.sleep(0.01)
    fault.fill_disk(lab, machine, leave=24 * MIB)

    row = here.host_says("m1", "DiskFull")
    failure = here.get()["status"]["lastFailure"]
    assert (failure["host"], failure["reason"]) == ("m1", "DiskFull")
    assert "free" in failure["hint"]
    assert "m1" in row["message"]
    here.told("the status to say so", lambda: here.condition("PreflightPassed")["reason"] == "DiskFull", 10)
    here.told("a part to fail", lambda: any("sending part" in e["note"] for e in here.events("DiskFull")), 60)
    notes = [e["note"] for e in here.events("DiskFull")]
    assert len(notes) == len(set(notes)), notes
    assert all("free" in note for note in notes), notes

    fault.unthrottle(lab, machine)
    before = int(machine.exec("cat /sys/class/net/eth0/statistics/rx_bytes").stdout)
    fault.free_disk(lab, machine)
    here.told("the files to be installed", lambda: ("done", "rootfs-parts") in journal(machine), 90)
    came = int(machine.exec("cat /sys/class/net/eth0/statistics/rx_bytes").stdout) - before
    assert came < 85 * MIB, "what had arrived was sent again"
    here.told("the status to be clean", lambda: here.condition("PreflightPassed")["status"] == "True", 30)
    assert "lastFailure" not in here.get()["status"] or here.get()["status"]["lastFailure"]["reason"] != "DiskFull"
