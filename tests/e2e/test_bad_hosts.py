"""Machines that cannot become part of a cluster: each is named with its reason, left alone, and taken in once the cause is gone."""

import re

import pytest

from labkit.product import journal, touched, wait_for
from labkit.tinyimage import add_tiny
from sealab.machines import MachineSpec

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

BAD = {
    "w1": ("AuthenticationFailed", "CredentialsValid", "credentials Secret"),
    "w2": ("SudoFailed", "CredentialsValid", "become-password"),
    "w3": ("SecretMissing", "CredentialsValid", "create it"),
    "w4": ("ClockSkew", "PreflightPassed", "time service"),
    "w5": ("DiskFull", "PreflightPassed", "free or add disk space"),
    "w6": ("HostOfAnotherCluster", "PreflightPassed", "choose another machine"),
}
"""Reason, the condition that it turns False, and words of its hint."""

OTHER = "echo 'another-cluster-id w6' > /var/lib/sealcluster/owner"


def claimed(machine):
    return ("done", "claim") in journal(machine)


@pytest.fixture
def here(managed, fault):
    """m1 and w7 are in order; w1 to w6 each have a flaw of their own."""
    here = managed(
        MachineSpec("m1"),
        MachineSpec("w1", user="ops", auth="password", sudo="password"),
        MachineSpec("w2", user="ops", auth="key", sudo="password"),
        *(MachineSpec(f"w{number}") for number in range(3, 8)),
        images=(),
    )
    lab, machines = here.site.lab, here.site.lab.machines
    here.secret("w1-ssh", password="wrong")
    fault.skew_clock(lab, machines["w4"], 60)
    fault.fill_disk(lab, machines["w5"])
    machines["w6"].exec(f"mkdir /var/lib/sealcluster && {OTHER}")
    document = here.site.document(["m1"], [f"w{number}" for number in range(1, 8)])
    document["spec"]["images"] = [{"name": "tiny", "ref": add_tiny(here.site.registry, "tiny:v1")}]
    rows = {row["name"]: row for row in document["spec"]["hosts"]}
    rows["w1"]["ssh"]["credentialsSecretRef"] = {"name": "w1-ssh"}
    rows["w3"]["ssh"] = {"credentialsSecretRef": {"name": "w3-ssh"}}
    here.before = {name: touched(machines[name]) for name in BAD}
    here.apply(document)
    return here


def test_each_bad_host_is_named_left_alone_and_taken_in_when_it_is_mended(here, fault):
    lab, machines = here.site.lab, here.site.lab.machines
    for name, (reason, kind, hint) in BAD.items():
        row = here.host_says(name, reason)
        assert row["message"]
        assert here.condition(kind)["status"] == "False"
        event = wait_for(f"an event about {name}", lambda name=name, reason=reason: _about(here.events(reason), name), 10)
        assert len(event) == 1, event
        assert event[0]["type"] == "Warning"
        assert hint in event[0]["note"]
    for name in ("m1", "w7"):
        here.told(f"{name} to be claimed", lambda name=name: claimed(machines[name]), 60)
    assert {name: touched(machines[name]) for name in BAD} == here.before

    here.secret("w1-ssh", password=machines["w1"].password)
    here.secret("w3-ssh", ssh_privatekey=here.site.key.read_text())
    for name in ("w1", "w3"):
        here.told(f"{name} to be claimed after its Secret was mended", lambda name=name: claimed(machines[name]), 30)

    here.secret("lab-ssh", ssh_privatekey=here.site.key.read_text(), become_password=machines["w2"].password)
    fault.skew_clock(lab, machines["w4"], 0)
    fault.free_disk(lab, machines["w5"])
    machines["w6"].exec("rm -r /var/lib/sealcluster")
    for name in ("w2", "w4", "w5", "w6"):
        here.told(f"{name} to be claimed after it was mended", lambda name=name: claimed(machines[name]), 60)
    for kind in ("CredentialsValid", "PreflightPassed", "HostsReachable"):
        here.told(f"{kind} to be True", lambda kind=kind: here.condition(kind)["status"] == "True", 30)
    assert all(len(_about(here.events(reason), name)) == 1 for name, (reason, *_) in BAD.items())


def _about(events, host):
    return [e for e in events if host in re.split(r"[^a-z0-9]+", e["note"])]
