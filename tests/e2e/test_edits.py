"""What is changed in place: labels, taints, the environment, a certificate's names, applications; and what is refused."""

import pytest

from labkit.cluster import Cluster
from labkit.product import commands, wait_for
from sealab.errors import LabError

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1200)]


def names_in_certificate(machine):
    """Names in the certificate that the API server shows."""
    command = "echo | openssl s_client -connect 127.0.0.1:6443 2>/dev/null | openssl x509 -noout -ext subjectAltName"
    return machine.exec(command, check=False).stdout.decode()


def test_labels_taints_certificate_names_and_applications_change_in_place(managed):
    here = managed(2)
    machines = here.site.lab.machines
    first = here.site.document(["m1"], ["m2"], images=("kubernetes:v1.34.4", "lab-cni:v1"))
    here.apply(first)
    here.ready()
    cluster: Cluster = here.cluster()
    before = commands(machines["m2"])

    first["spec"]["hosts"][1]["labels"] = {"rack": "b7"}
    first["spec"]["hosts"][1]["taints"] = [{"key": "only", "value": "batch", "effect": "NoSchedule"}]
    here.apply(first)
    here.ready()
    node = cluster.get("node", "m2")
    assert node["metadata"]["labels"]["rack"] == "b7"
    assert [t["key"] for t in node["spec"]["taints"]] == ["only"]
    first["spec"]["hosts"][1]["labels"] = {}
    first["spec"]["hosts"][1]["taints"] = []
    here.apply(first)
    here.ready()
    node = cluster.get("node", "m2")
    assert "rack" not in node["metadata"]["labels"]
    assert not node["spec"].get("taints")
    assert commands(machines["m2"]) == before, "labels and taints are nothing that a machine has to know"

    first["spec"]["certificates"] = {"extraSANs": ["api.example.com"]}
    here.apply(first)
    here.ready()
    wait_for("the new name in the certificate", lambda: "api.example.com" in names_in_certificate(machines["m1"]), 90)

    first["spec"]["images"] = here.site.document(["m1"], ["m2"])["spec"]["images"]
    here.apply(first)
    here.ready()
    wait_for("hello to run", lambda: any(p["status"]["phase"] == "Running" for p in cluster.pods("app=hello", "default")), 90)

    changed = {**first, "spec": {**first["spec"], "network": {"podSubnet": "10.244.0.0/16"}}}
    with pytest.raises(LabError, match="podSubnet"):
        here.apply(changed)
    assert here.condition("Ready")["status"] == "True"
