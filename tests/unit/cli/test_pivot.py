"""sealcluster pivot: a cluster of the command line is handed to an operator, and nothing on its machines changes."""

import base64
import json

import pytest

from sealcluster.controller.supervisor import Supervisor
from sealcluster.core.state import StateRecord
from sealcluster.kube.client import KubeClient
from sealcluster.testing.clock import VirtualClock

from .conftest import ModelOpened

PIVOT = ("pivot", "default", "-n", "clusters")


class ModelAdapters(ModelOpened):
    """What a supervisor needs of `compose.Adapters`, on the same machines."""

    clock = VirtualClock()


@pytest.fixture
def made(cli):
    """A cluster of one machine, made here."""
    cli.machines("a")
    assert cli.run().code == 0
    return cli


def objects(cli, plural="secrets", namespace="clusters"):
    return {key[2]: value for key, value in cli.outside.kube.store.objects.items() if key[:2] == (plural, namespace)}


def secret(cli, name, key):
    return base64.b64decode(objects(cli)[name]["data"][key]).decode()


def operate(cli, until, seconds=3000.0):
    """An operator looks after the plane's SealCluster until its status says so; the status."""

    async def work():
        supervisor = Supervisor(KubeClient(cli.outside.kube), ModelAdapters(cli.outside), "operator-1")
        events = cli.outside.kube.watch("sealclusters", "clusters")
        clock = VirtualClock()
        deadline = clock.now() + seconds
        try:
            async for _kind, body in events:
                supervisor.object_seen(body)
                assert supervisor.healthy
                if until(body.get("status") or {}):
                    return body["status"]
                assert clock.now() < deadline, body.get("status")
        finally:
            await supervisor.close()

    return cli.outside.loop.run_until_complete(work())


def is_ready(status):
    return any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", ()))


def test_the_operator_takes_over_and_touches_nothing(cli):
    cli.machines("a", "b")
    assert cli.run(nodes="10.0.0.12").code == 0
    fence = json.loads((cli.state / "default/state.json").read_text())["fence"]
    ledger, machines = cli.outside.world.ledger, cli.outside.world.machines.values()
    starts = dict(ledger.starts)
    before = {m.name: (dict(m.journal), m.fence) for m in machines}
    done = cli(*PIVOT)
    assert done.code == 0, done.err
    assert "default is handed over" in done.err
    assert json.loads(secret(cli, "default-state", "state.json"))["fence"] == fence + 1  # what still runs elsewhere is superseded
    status = operate(cli, is_ready)
    assert status["nodes"]["ready"] == 2
    assert status.get("plan") is None
    assert dict(ledger.starts) == starts
    assert {m.name: (dict(m.journal), m.fence) for m in machines} == before
    assert ledger.violations == []
    assert json.loads(secret(cli, "default-state", "state.json"))["fence"] == fence + 2
    version = cli.outside.kube.store.version
    again = cli(*PIVOT)
    assert again.code == 0
    assert {line.split()[0] for line in again.out.splitlines()[1:]} == {"keep"}
    assert cli.outside.kube.store.version == version


def test_every_record_arrives_and_a_dry_run_only_says_so(made):
    before = {path: path.read_bytes() for path in (made.state / "default").rglob("*") if path.is_file() and path.name != "busy"}
    version = made.outside.kube.store.version
    done = made(*PIVOT, "--dry-run")
    assert done.code == 0
    assert done.out.splitlines()[0] == "default to SealCluster clusters/default at https://fake.invalid"
    rows = [line.split()[:3] for line in done.out.splitlines()[1:]]
    assert rows[0] == ["create", "Secret", "clusters/default-ssh"]
    assert rows[-2:] == [["create", "Secret", "clusters/default-state"], ["create", "SealCluster", "clusters/default"]]
    assert made.outside.kube.store.version == version
    assert {path: path.read_bytes() for path in before} == before
    assert made(*PIVOT).code == 0
    assert sorted(objects(made)) == sorted(
        [f"default-{suffix}" for suffix in ("ca", "etcd", "proxy", "sa", "registry", "state", "kubeconfig", "ssh")]
    )
    assert secret(made, "default-ca", "tls.key") == (made.state / "default/pki/ca.key").read_text()
    assert secret(made, "default-kubeconfig", "value") == (made.state / "default/kubeconfig").read_text()
    assert secret(made, "default-ssh", "password") == "secret"
    there, here = json.loads(secret(made, "default-state", "state.json")), json.loads((made.state / "default/state.json").read_text())
    assert {row.pop("credentials_secret") for row in there["inventory"].values()} == {"default-ssh"}
    assert {row.pop("credentials_secret") for row in here["inventory"].values()} == {"cli"}
    assert there == here
    assert there["holder"] == "pivot to clusters/default"
    (document,) = objects(made, "sealclusters").values()
    assert document["spec"]["ssh"]["credentialsSecretRef"] == {"name": "default-ssh"}
    assert "sealcluster.io/finalizer" in objects(made)["default-state"]["metadata"]["finalizers"]


def test_from_then_on_commands_here_leave_the_cluster_alone(made):
    made(*PIVOT)
    before = (made.state / "default/state.json").read_bytes()
    for words in (["retry", "default"], ["delete", "default", "--reset", "--yes"], ["delete", "default", "--retain", "--yes"]):
        refused = made(*words)
        assert refused.code == 2
        assert "it was handed over to SealCluster clusters/default at https://fake.invalid" in refused.err
        assert "kubectl -n clusters edit sealcluster default" in refused.err
    assert made.run().code == 2
    assert (made.state / "default/state.json").read_bytes() == before
    assert made("kubeconfig", "default").code == 0
    assert "it was handed over to SealCluster clusters/default" in made("status", "default").out


async def post(cli, plural, body):
    prefix = "apis/sealcluster.io/v1alpha1" if plural == "sealclusters" else "api/v1"
    path = f"{cli.outside.kube.server}/{prefix}/namespaces/clusters/{plural}"
    answer = await cli.outside.kube.request("POST", path, doing="creating", body=body)
    assert answer.status == 201, answer.body


def test_what_is_anothers_is_refused_before_anything_is_written(made):
    spec = json.loads(made("status", "default", "-o", "json").out)["spec"]
    record = {"state.json": base64.b64encode(StateRecord("other", fence=3).dumps().encode()).decode()}
    state = (made.state / "default/state.json").read_bytes()
    for plural, name, body, says in (
        ("sealclusters", "default", {"spec": spec}, "SealCluster clusters/default exists, and it is not this cluster"),
        ("secrets", "default-state", {"data": record}, "Secret clusters/default-state is the record of another cluster"),
        ("secrets", "default-ssh", {"data": {"password": "b3RoZXI="}}, "Secret clusters/default-ssh exists with another content"),
    ):
        made.outside.loop.run_until_complete(post(made, plural, {"metadata": {"name": name}, **body}))
        version = made.outside.kube.store.version
        refused = made(*PIVOT)
        assert refused.code == 2
        assert says in refused.err
        assert made.outside.kube.store.version == version
        assert (made.state / "default/state.json").read_bytes() == state
        del made.outside.kube.store.objects[plural, "clusters", name]
    assert made(*PIVOT).code == 0


def test_a_plane_that_goes_away_again_and_again(made):
    """Each pivot goes on where the last one broke off; in between nobody here may change the cluster once something was written."""
    server = made.outside.kube
    real = server.request
    broken = 0
    for requests in range(1, 60, 3):
        seen = []

        async def breaking(*args, seen=seen, requests=requests, **named):
            seen.append(args)
            server.down = len(seen) >= requests
            return await real(*args, **named)

        server.request = breaking
        tried = made(*PIVOT)
        server.request, server.down = real, False
        if tried.code == 0:
            break
        assert tried.code == 1
        if (made.state / "default/handed-over.json").exists():
            broken += 1
            refused = made("retry", "default")
            assert (refused.code, "began and did not end" in refused.err) == (2, True)
        else:
            assert objects(made) == {}
    assert broken > 3
    assert tried.code == 0
    starts = dict(made.outside.world.ledger.starts)
    operate(made, is_ready)
    assert dict(made.outside.world.ledger.starts) == starts


def test_a_plane_that_refuses_the_object_leaves_the_cluster_ours(made):
    made.outside.kube.forbidden = {("POST", "sealclusters")}
    refused = made(*PIVOT)
    assert refused.code == 3
    assert "forbidden" in refused.err
    made.outside.kube.forbidden = set()
    assert made.run().code == 0
    assert made(*PIVOT).code == 0
    starts = dict(made.outside.world.ledger.starts)
    operate(made, is_ready)
    assert dict(made.outside.world.ledger.starts) == starts
    del made.outside.kube.store.objects["sealclusters", "clusters", "default"]
    stale = made(*PIVOT)  # an operator has worked on it since
    assert stale.code == 2
    assert "newer record of this cluster" in stale.err


def test_a_half_made_cluster_is_finished_by_the_operator(cli):
    cli.machines("a")
    assert "nothing is known about it" in cli(*PIVOT).err
    cli.outside.interrupt_after = 30.0
    assert cli.run().code == 130
    assert cli(*PIVOT).code == 0
    operate(cli, is_ready)
    assert cli.outside.world.ledger.violations == []
    assert set(cli.outside.world.ledger.init_successes.values()) == {1}
