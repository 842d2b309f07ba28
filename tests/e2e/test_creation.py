"""The main job: one SealCluster becomes a running, highly available cluster."""

import json
import re

import pytest
import yaml

from labkit.product import commands, wait_for

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1200)]

MASTERS, WORKERS = ["m1", "m2", "m3"], ["m4", "m5"]


OURS = "/etc/hosts /etc/kubernetes /etc/containerd /etc/systemd/system /var/lib/sealcluster /var/lib/sealos /var/lib/kubelet/config.yaml"


def untouched(machine):
    """What a pass over a finished cluster may not change: jobs in the journal, our files (manifests of static pods too), and when services started."""
    jobs = commands(machine)
    files = machine.exec(f"find {OURS} -type f -printf '%p %T@ %C@\\n' 2>/dev/null | sort", check=False).stdout
    units = machine.exec("systemctl show containerd kubelet registry -p Id,ActiveEnterTimestampMonotonic,MainPID").stdout
    return {"jobs": jobs, "files": files.decode().splitlines(), "units": units}


@pytest.mark.core
def test_three_masters_and_two_workers_from_bare_machines_by_kubectl_apply(managed):
    """Also: a restarted operator that finds nothing to do does nothing."""
    here = managed(5)
    here.apply(here.site.document(MASTERS, WORKERS))
    here.plane.kubectl("wait", "--for=condition=Ready", "sealcluster/ha", "--timeout=900s", timeout=930)
    status = here.get()["status"]
    assert status["nodes"]["masters"] == "3/3"
    assert status["nodes"]["workers"] == "2/2"

    cluster = here.cluster()
    assert cluster.ready_nodes() == {"m1", "m2", "m3", "m4", "m5"}
    members = cluster.etcd_members(here.site, "m1")
    assert sorted(m["name"] for m in members) == MASTERS
    assert not any(m.get("isLearner") for m in members)
    dns = cluster.pods("k8s-app=kube-dns", "kube-system")
    assert any(p["status"]["phase"] == "Running" for p in dns)

    wait_for("hello to run", lambda: len([p for p in cluster.pods("app=hello", "default") if p["status"]["phase"] == "Running"]) >= 2, 90)
    pods = cluster.pods("app=hello", "default")
    service = cluster.get("service", "hello")["spec"]
    url = f"http://{service['clusterIP']}:{service['ports'][0]['port']}/"
    for machine in WORKERS:
        asked = here.site.lab.machines[machine]
        wait_for(f"{machine} to know the Service's pods", lambda m=asked: m.exec(f"curl -s -m 5 {url}", check=False).stdout, 60)
        answers = {asked.exec(f"curl -s -m 5 {url}").stdout for _ in range(12)}
        assert all(answers), f"hello does not answer on {machine}"
    assert {p["spec"]["nodeName"] for p in pods} <= set(WORKERS)

    documents = list(yaml.safe_load_all(status["clusterfile"]))
    assert documents[0]["kind"] == "Cluster"
    assert {d["kind"] for d in documents} >= {"Cluster", "InitConfiguration", "ClusterConfiguration"}
    assert (
        "token" not in re.sub(r"tokens?:? ?\[\]", "", status["clusterfile"].lower())
        or "bootstraptoken" not in status["clusterfile"].lower()
    )

    _nothing_to_do(here)


def _commands_once_all(here, machines):
    """SSH commands of the operator so far, once they are at least as many as there are machines; None before."""
    try:
        sent = here.operator.metric("sealcluster_ssh_commands_total")
    except (OSError, AssertionError):
        return None  # it does not listen yet
    return sent if sent >= machines else None


def _nothing_to_do(here):
    machines = here.site.lab.machines
    before = {name: untouched(machine) for name, machine in machines.items()}
    generation = json.dumps(here.get()["status"]["conditions"])
    here.operator.kill()
    here.operator.start()
    first_pass = wait_for("the new operator's first look at every machine", lambda: _commands_once_all(here, len(machines)), 60, every=0.05)
    assert first_pass == len(machines), "one command per machine tells everything; the control plane's health is asked for again only later"
    mark = f"--- start {here.operator.starts}"

    def settled():
        log = here.operator.log.read_text(errors="replace").split(mark)[-1]
        return "watching" in log and here.condition("Ready").get("status") == "True" and "pull images" in log

    wait_for("the new operator to look at everything", settled, 60)
    for name, machine in machines.items():
        assert untouched(machine) == before[name], (name, generation)
