"""A machine that shows another SSH key than before: it is left alone until somebody vouches for the new one."""

import pytest

from labkit.product import journal, touched
from labkit.tinyimage import add_tiny
from sealab.machines import MachineSpec

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]


def contents(machine):
    """Everything that could have been written, with times."""
    return machine.exec(
        "find /var/lib/sealcluster /var/lib/sealos /etc -xdev -type f -printf '%p %T@ %s\\n' 2>/dev/null | sort", check=False
    ).stdout


def new_key(fault, lab, machine):
    """As after a reinstallation: connections end, and the next one meets another key."""
    fault.change_host_key(lab, machine)
    fault.kill_sshd(lab, machine)
    fault.start_sshd(lab, machine)


def test_neither_a_claimed_machine_nor_one_that_was_only_looked_at_may_change_its_key(managed, fault):
    here = managed(MachineSpec("m1"), MachineSpec("w1"), MachineSpec("w2"), images=())
    lab, machines = here.site.lab, here.site.lab.machines
    fault.skew_clock(lab, machines["w2"], 60)
    document = here.site.document(["m1"], ["w1", "w2"])
    document["spec"]["images"] = [{"name": "tiny", "ref": add_tiny(here.site.registry, "tiny:v1")}]
    here.apply(document)
    here.host_says("w2", "ClockSkew")
    here.told("w1 to have its entries", lambda: ("done", "hosts") in journal(machines["w1"]), 60)

    for name in ("w1", "w2"):
        new_key(fault, lab, machines[name])
    for name in ("m1", "w1"):
        machines[name].exec("sed -i '/# BEGIN sealcluster/,/# END sealcluster/d' /etc/hosts")
    before = {name: contents(machines[name]) for name in ("w1", "w2")}
    for name in ("w1", "w2"):
        row = here.host_says(name, "HostKeyMismatch")
        assert "SHA256:" in row["message"]
        (event,) = [e for e in here.events("HostKeyMismatch") if f"host key of {name}" in e["note"]]
        assert "known_hosts Secret" in event["note"]
    assert here.condition("CredentialsValid")["reason"] == "HostKeyMismatch"

    here.told("m1 to have its entries again", lambda: journal(machines["m1"]).count(("done", "hosts")) == 2, 70)
    here.operator.kill()
    here.operator.start()
    here.told("the next operator to have looked", lambda: here.operator.said("watching"), 30)
    here.host_says("w1", "HostKeyMismatch")
    assert contents(machines["w1"]) == before["w1"]

    keys = [f"{machines[name].address} {key}" for name in ("w1", "w2") for key in machines[name].host_keys]
    here.secret("vouched", known_hosts="\n".join(keys) + "\n")
    assert contents(machines["w2"]) == before["w2"]
    fault.skew_clock(lab, machines["w2"], 0)
    document["spec"]["ssh"]["hostKeys"]["knownHostsSecretRef"] = {"name": "vouched", "key": "known-hosts"}
    here.apply(document)
    here.told("w1 to have its entries again", lambda: journal(machines["w1"]).count(("done", "hosts")) == 2, 60)
    here.told("w2 to be taken in", lambda: ("done", "hosts") in journal(machines["w2"]), 60)
    here.told("the keys to be fine", lambda: here.condition("CredentialsValid")["status"] == "True", 30)
    assert touched(machines["w2"])
