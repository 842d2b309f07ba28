"""A management plane as people have one: the command line makes its cluster, helm installs the operator's image there, and that makes another cluster."""

import json

import pytest

from labkit.chart import CHART, NAMESPACE, helm
from labkit.cluster import Cluster
from labkit.product import journal, wait_for
from sealimage.build import build, version

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]

REPOSITORY = "registry.example/sealcluster-operator"
CLUSTER_IMAGES = ("kubernetes:v1.34.4", "lab-cni:v1")
MASQUERADE = "iptables -t nat -A POSTROUTING -s 100.64.0.0/10 ! -d 100.64.0.0/10 -j MASQUERADE"
"""What every real pod network does and the lab's does not: pods reach machines outside of their cluster."""


class Management:
    """The management cluster on m1, and the release in it."""

    def __init__(self, here):
        self.here = here
        self.kubeconfig = here.kubeconfig("mgmt")
        self.cluster = Cluster(self.kubeconfig)

    def helm(self, verb, *words):
        values = [
            f"image.repository={REPOSITORY}",
            "image.pullPolicy=Never",
            "operator.logFormat=console",
            f"operator.insecureRegistries={{{self.here.registry.address}}}",
        ]
        release = [verb, "sealcluster", str(CHART), "--namespace", NAMESPACE, "--wait", "--timeout", "180s", "--set", ",".join(values)]
        return helm(*release, *words, kubeconfig=self.kubeconfig, timeout=240)

    def pod(self):
        """UID of the operator's pod."""
        found = [p for p in self.cluster.pods("app.kubernetes.io/name=sealcluster", NAMESPACE) if "deletionTimestamp" not in p["metadata"]]
        return found[0]["metadata"]["uid"] if len(found) == 1 else ""

    def log(self):
        return self.cluster.kubectl("logs", "--namespace", NAMESPACE, "deployment/sealcluster", "--tail=-1", check=False)

    def seal(self, name):
        return self.cluster.get("sealcluster", name)

    def is_ready(self, name):
        return any(c["type"] == "Ready" and c["status"] == "True" for c in self.seal(name).get("status", {}).get("conditions", []))


def started(machine, step):
    return journal(machine).count(("started", step))


def test_helm_installs_upgrades_in_the_middle_of_a_creation_and_leaves_clusters_alone(site, tmp_path):
    here = site(3, images=CLUSTER_IMAGES)
    m1, m2, m3 = (here.lab.machines[name] for name in ("m1", "m2", "m3"))
    here.apply(here.document(["m1"], name="mgmt", images=CLUSTER_IMAGES))
    management = Management(here)

    image = build(tmp_path / "image")
    m1.exec(f"ctr -n k8s.io images import --base-name {REPOSITORY} -", input=image.archive.read_bytes(), timeout=300)
    assert f"{REPOSITORY}:{version()}" in m1.exec("ctr -n k8s.io images list -q").stdout.decode()
    m1.exec(MASQUERADE)
    management.helm("install", "--create-namespace")
    first = management.pod()
    assert first

    login = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "lab-ssh"},
        "stringData": {"ssh-privatekey": here.key.read_text()},
    }
    management.cluster.kubectl("apply", "-f", "-", stdin=json.dumps(login))
    wanted = here.document(["m2"], ["m3"], name="second", images=CLUSTER_IMAGES)
    management.cluster.kubectl("apply", "-f", "-", stdin=json.dumps(wanted))

    wait_for("kubeadm init to begin on m2", lambda: started(m2, "kubeadm-init"), 300)
    management.helm("upgrade", "--set", "podAnnotations.round=second")
    assert management.pod() not in ("", first)
    log = management.log
    try:
        wait_for("the second cluster to be Ready", lambda: management.is_ready("second"), 600)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{json.dumps(management.seal('second').get('status'))[:6000]}\n{log()[-4000:]}") from None
    assert started(m2, "kubeadm-init") == 1
    assert "forbidden" not in log().lower()

    kubeconfig = here.folder / "second.kubeconfig"
    secret = management.cluster.kubectl("get", "secret", "second-kubeconfig", "-o", "go-template={{.data.value | base64decode}}")
    kubeconfig.write_text(secret)
    second = Cluster(kubeconfig)
    assert second.ready_nodes() == {"m2", "m3"}

    before = {name: journal(machine) for name, machine in (("m2", m2), ("m3", m3))}
    helm("uninstall", "sealcluster", "--namespace", NAMESPACE, "--wait", kubeconfig=management.kubeconfig)
    assert management.pod() == ""
    assert management.seal("second")["metadata"]["finalizers"]
    assert management.is_ready("second")
    assert second.ready_nodes() == {"m2", "m3"}
    assert {name: journal(machine) for name, machine in (("m2", m2), ("m3", m3))} == before

    management.helm("install")
    wait_for("the new operator to watch", lambda: "watching all namespaces" in log(), 60)
    management.cluster.kubectl("delete", "sealcluster", "second", "--timeout=300s", timeout=330)
    wait_for("the machines to be clean", lambda: not m2.exec("ls /etc/kubernetes", check=False).stdout.strip(), 60)
