"""Small worlds for tests of pure decisions."""

from dataclasses import replace

from sealcluster.api import SealClusterSpec
from sealcluster.core.facts import ClusterFacts, EtcdFacts, EtcdMember, HostFacts, JournalEntry, NodeFacts, Owner
from sealcluster.core.state import InitRecord, InventoryRow, StateRecord
from sealcluster.core.view import ClusterView, HostView

CLUSTER_ID = "c0ffee"


def spec(masters=1, workers=0, **more):
    hosts = [{"name": f"m{n}", "address": f"10.0.0.{n}", "roles": ["master"]} for n in range(1, masters + 1)]
    hosts += [{"name": f"w{n}", "address": f"10.0.1.{n}", "roles": ["node"]} for n in range(1, workers + 1)]
    document = {"images": [{"name": "kubernetes", "ref": "registry.example/kubernetes:v1.34.4"}], "hosts": hosts, **more}
    return SealClusterSpec.model_validate(document)


def facts(name="m1", address="10.0.0.1", **more):
    known = {
        "machine_id": f"id-{name}",
        "hostname": name,
        "boot_id": "boot",
        "arch": "amd64",
        "kernel": "6.1",
        "os_id": "debian",
        "os_version": "12",
        "skew": 0.0,
        "cpus": 4,
        "memory_mib": 8192,
        "systemd": 252,
        "addresses": frozenset({address}),
    }
    return HostFacts(**{**known, **more})


def journal(*steps, state="done", digest="d", attempt=1):
    return {step: JournalEntry(step, digest, attempt, state, 0 if state == "done" else 1, 1.0) for step in steps}


def host(wanted, joined=False, etcd=None, **more):
    name, address = str(wanted.name), str(wanted.address)
    extra = {"owner": Owner(CLUSTER_ID, name), "journal": journal("kubeadm-join")} if joined else {}
    row = InventoryRow(name, address, 22, tuple(str(r) for r in wanted.roles), f"id-{name}", "")
    return HostView(name, wanted, row if joined else None, replace(facts(name, address, **{**extra, **more}), etcd=etcd))


def view(wanted=None, hosts=None, **more):
    wanted = wanted or spec()
    hosts = hosts if hosts is not None else {str(h.name): host(h) for h in wanted.hosts}
    base = {
        "name": "c",
        "namespace": "ns",
        "generation": 1,
        "spec": wanted,
        "state": StateRecord(CLUSTER_ID, fence=1, holder="me"),
        "hosts": hosts,
        "now": 1000.0,
    }
    return ClusterView(**{**base, **more})


def running_view(masters=3, workers=0, sick=(), gone=(), learners=(), **more):
    """A finished cluster: every host joined, all masters in etcd; `sick` members do not answer, `gone` hosts are not seen."""
    wanted = more.pop("wanted", None) or spec(masters, workers)
    names = [str(h.name) for h in wanted.hosts if "master" in [str(r) for r in h.roles]]
    members = tuple(EtcdMember(f"{n:x}", name, name in learners) for n, name in enumerate(names, 1))
    hosts = {}
    for row in wanted.hosts:
        name = str(row.name)
        etcd = EtcdFacts("e7cd", "1", name not in sick, members if name not in sick else ()) if name in names else None
        seen = host(row, joined=True, etcd=etcd)
        hosts[name] = replace(seen, facts=None) if name in gone else seen
    nodes = {n: NodeFacts(n, f"uid-{n}", True) for n in hosts}
    ready = frozenset(n for n in names if n not in sick and n not in gone)
    state = StateRecord(CLUSTER_ID, fence=1, holder="me", init=InitRecord(1, "m1", "e7cd"), inventory={n: h.row for n, h in hosts.items()})
    return view(wanted, hosts, state=state, cluster=ClusterFacts(True, nodes, ready, True), **more)
