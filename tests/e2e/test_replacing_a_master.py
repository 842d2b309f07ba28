"""No master is special: the first one, which is the registry too, dies without warning and is replaced by an edit."""

import time

import pytest

from labkit.product import commands, wait_for

pytestmark = [pytest.mark.lab, pytest.mark.timeout(2400)]

ACKNOWLEDGE = "sealcluster.io/acknowledge-lost"


def hosts_line(machine, name):
    """Address of a name in the machine's /etc/hosts."""
    return machine.exec(f"awk '$2 == \"{name}\" {{ print $1 }}' /etc/hosts").stdout.decode().strip()


def message_with(here, words, seconds):
    """Wait until a condition's message holds these words; the message."""

    def look():
        conditions = here.get().get("status", {}).get("conditions", [])
        return next((c["message"] for c in conditions if words in c["message"]), None)

    return wait_for(f"a condition that says {words!r}", look, seconds)


def test_the_first_master_and_registry_is_powered_off_and_replaced(managed, fault):
    here = managed(5)
    lab, machines = here.site.lab, here.site.lab.machines
    trio = here.site.document(["m1", "m2", "m3"])
    here.apply(trio)
    here.ready()

    # a removal that would lose the quorum is refused with its numbers, and the edit can be taken back
    fault.power_off(lab, machines["m2"])
    here.apply(here.site.document(["m2", "m3"]))
    message_with(here, "removing etcd member m1 would leave 1 healthy of 2 members, 2 are needed for quorum", 150)
    before = commands(machines["m1"])
    here.apply(trio)
    fault.power_on(lab, machines["m2"])
    here.ready()
    assert commands(machines["m1"]) == before, "its row went and came back: nothing was done to it"

    # the first master dies
    lost = machines["m1"]
    fault.power_off(lab, lost)
    began = time.monotonic()
    wait_for("Ready to turn False", lambda: here.condition("Ready").get("status") == "False", 90)
    assert time.monotonic() - began < 75
    assert "m1" in here.condition("Ready")["message"]
    assert here.condition("Available")["status"] == "True"

    here.apply(here.site.document(["m2", "m3", "m4"]))
    stalled = here.stalled("LostHostNeedsAcknowledgement", seconds=150)
    assert f"{ACKNOWLEDGE}=m1={lost.machine_id}" in stalled["message"]
    here.plane.kubectl("annotate", "sealcluster", "ha", f"{ACKNOWLEDGE}=m1={lost.machine_id}")
    here.ready()
    cluster = here.cluster()
    assert cluster.ready_nodes() == {"m2", "m3", "m4"}
    assert sorted(m["name"] for m in cluster.etcd_members(here.site, "m2")) == ["m2", "m3", "m4"]
    (registry,) = {hosts_line(machines[name], "sealos.hub") for name in ("m2", "m3", "m4")}
    assert registry in {machines[name].address for name in ("m2", "m3")}, "it moved to a master that was there"

    # a worker pulls from the registry that moved
    here.apply(here.site.document(["m2", "m3", "m4"], ["m5"]))
    here.ready()
    assert cluster.ready_nodes() == {"m2", "m3", "m4", "m5"}
    assert hosts_line(machines["m5"], "sealos.hub") == registry
