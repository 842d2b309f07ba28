"""A cluster that the command line made is handed to an operator: nothing on its machines changes, and the operator can work with it."""

import json

import pytest

from labkit.product import journal, wait_for

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1200)]


def on_machine(site, host):
    """Every job that its journal knows, and the fencing number that it has seen."""
    machine = site.lab.machines[host]
    return journal(machine), machine.exec("cat /var/lib/sealcluster/fence").stdout


def test_a_cluster_of_the_command_line_becomes_the_operators(managed):
    here = managed(3)
    here.operator.kill()
    site = here.site
    document = site.document(["m1"], ["m2"])
    assert "is ready" in site.apply(document).stderr
    name = document["metadata"]["name"]
    before = {host: on_machine(site, host) for host in ("m1", "m2")}
    state = ["--state", str(site.folder / "state")]
    plane = ["--kubeconfig", str(here.plane.kubeconfig), "-n", "default"]
    site.cli("pivot", name, *plane, *state, "--dry-run")
    assert here.plane.kubectl("get", "sealcluster", "-o", "name").stdout == ""
    site.cli("pivot", name, *plane, *state)

    here.operator.start()
    seen = here.ready(name, seconds=300)
    assert seen["status"]["nodes"]["ready"] == 2
    assert "plan" not in seen["status"]
    assert {host: on_machine(site, host) for host in before} == before
    assert here.cluster(name).ready_nodes() == {"m1", "m2"}

    refused = site.cli("retry", name, *state, check=False)
    assert refused.returncode == 2
    assert "handed over" in refused.stderr

    body = json.loads(here.plane.kubectl("get", "sealcluster", name, "-o", "json").stdout)
    rows = [*body["spec"]["hosts"], site.row("m3", "node")]
    here.plane.kubectl("patch", "sealcluster", name, "--type=merge", "-p", json.dumps({"spec": {"hosts": rows}}))
    wait_for("the third machine to join", lambda: "m3" in here.cluster(name).ready_nodes(), 300)
    here.ready(name)
