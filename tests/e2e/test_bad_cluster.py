"""What keeps a whole cluster from beginning: said with reason and hint within a minute, no machine touched, and it begins once mended."""

import pytest

from labkit.product import journal, touched
from labkit.tinyimage import add_tiny
from sealab.machines import MachineSpec

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]


def claimed(machine):
    return ("done", "claim") in journal(machine)


def refused(here, reason, kind, *words):
    """Stalled for this reason, which its own condition and one event tell as well, with what and what to do about it in `words`;
    nothing was touched anywhere."""

    def look():
        stalled = here.condition("Stalled")
        return stalled if stalled.get("status") == "True" and stalled["reason"] == reason else None

    stalled = here.told(f"Stalled because of {reason}", look, 60)
    assert here.condition("Ready")["reason"] == reason
    assert here.condition(kind)["status"] == "False"
    assert here.condition(kind)["reason"] == reason
    for word in words:
        assert word in stalled["message"], stalled
    assert here.get()["status"]["lastFailure"]["hint"]
    notes = [e["note"] for e in here.events(reason)]
    assert len(notes) == 1, notes
    assert all(word in notes[0] for word in words), notes
    assert {name: touched(machine) for name, machine in here.site.lab.machines.items()} == here.before


def test_missing_secrets_a_duplicate_hostname_and_images_that_do_not_fit_one_after_another(managed, fault):
    here = managed(MachineSpec("m1", hostname="same"), MachineSpec("w1", hostname="same"), secret=False, images=())
    machines, registry = here.site.lab.machines, here.site.registry
    here.before = {name: touched(machine) for name, machine in machines.items()}
    document = here.site.document(["m1"], ["w1"])
    document["spec"]["images"] = [{"name": "tiny", "ref": registry.ref("tiny:v1")}]
    reference = document["spec"]["ssh"].pop("credentialsSecretRef")
    here.apply(document)
    refused(here, "SecretMissing", "CredentialsValid", "spec.ssh.credentialsSecretRef")

    document["spec"]["ssh"]["credentialsSecretRef"] = reference
    here.apply(document)
    here.told("the Secret to be looked for", lambda: "lab-ssh" in here.condition("Stalled")["message"], 60)
    notes = [
        e["note"] for e in here.told("an event about it", lambda: [e for e in here.events("SecretMissing") if "lab-ssh" in e["note"]], 10)
    ]
    assert all("create it" in note for note in notes), notes

    here.secret("lab-ssh", ssh_privatekey=here.site.key.read_text())
    refused(here, "DuplicateHostname", "PreflightPassed", "same", "m1", "w1", "hostnamectl")
    assert here.condition("ImageAvailable")["reason"] == "ImageNotFound"
    assert here.condition("CredentialsValid")["status"] == "True"

    fault.set_hostname(here.site.lab, machines["w1"], "other")
    here.told("unique hostnames to be seen", lambda: here.condition("PreflightPassed")["status"] == "True", 60)
    refused(here, "ImageNotFound", "ImageAvailable", "tiny:v1", "check the name")

    document["spec"]["images"][0]["ref"] = add_tiny(registry, "tiny:arm", arch="arm64")
    here.apply(document)
    refused(here, "ArchMismatch", "PreflightPassed", "linux/arm64", "amd64")

    document["spec"]["images"][0]["ref"] = registry.ref("tiny:v1")
    here.apply(document)
    here.told("the wish for the image to be seen", lambda: here.condition("Stalled")["reason"] == "ImageNotFound", 60)
    add_tiny(registry, "tiny:v1")
    for name, machine in machines.items():
        here.told(f"{name} to be claimed after the image came", lambda machine=machine: claimed(machine), 90)
    for kind in ("CredentialsValid", "PreflightPassed", "ImageAvailable"):
        here.told(f"{kind} to be True", lambda kind=kind: here.condition(kind)["status"] == "True", 15)
    assert here.condition("Stalled")["status"] == "False"
