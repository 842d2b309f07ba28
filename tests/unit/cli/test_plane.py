"""kubectl seal: the same answers from a management plane."""

import asyncio
import json

import pytest
import yaml
from typer.testing import CliRunner

from sealcluster.cli.main import app
from sealcluster.cli.options import Plane
from sealcluster.cli.planeview import default_namespace
from sealcluster.core.errors import TerminalError
from sealcluster.testing.model.images import CNI, ROOTFS

STATUS = {
    "observedGeneration": 1,
    "phase": "Provisioning",
    "version": "v1.34.4",
    "conditions": [
        {
            "type": "Ready",
            "status": "False",
            "reason": "Provisioning",
            "message": "joining workers 0/1",
            "lastTransitionTime": "2026-01-31T12:00:00Z",
        },
        {"type": "Stalled", "status": "False", "reason": "AsExpected", "message": "", "lastTransitionTime": "2026-01-31T12:00:00Z"},
    ],
    "hosts": [{"name": "default-m1", "state": "Ready", "nodeReady": True}],
    "plan": {"digest": "sha256:0", "total": 2, "steps": [{"host": "default-m1", "phase": "claim", "what": "claim: the machine is free"}]},
    "lastFailure": {
        "host": "default-m1",
        "phase": "join-nodes",
        "step": "join",
        "exitCode": 1,
        "reason": "KubeadmJoinFailed",
        "message": "running kubeadm-join on default-m1: exit code 1",
        "output": "line one\nline two",
        "time": "2026-01-31T12:00:00Z",
    },
}


@pytest.fixture
def plane(cli):
    """A SealCluster `default` in namespace `clusters` with a status and a kubeconfig."""
    document = yaml.safe_load(cli("gen", ROOTFS, CNI, "--masters", "10.0.0.11").out)
    document["metadata"]["namespace"] = "clusters"
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "default-kubeconfig"}, "data": {"value": "a3ViZWNvbmZpZwo="}}

    async def create():
        server = cli.outside.kube
        path = f"{server.server}/apis/sealcluster.io/v1alpha1/namespaces/clusters/sealclusters"
        created = await server.request("POST", path, doing="creating", body=document)
        assert created.status == 201, created.body
        changed = await server.request(
            "PATCH", f"{path}/default/status", doing="writing status", content_type="application/merge-patch+json", body={"status": STATUS}
        )
        assert changed.status == 200, changed.body
        await server.request("POST", f"{server.server}/api/v1/namespaces/clusters/secrets", doing="creating", body=secret)

    cli.outside.loop.run_until_complete(create())
    cli.outside.kube.requests.clear()
    return cli


def test_status_is_that_of_the_object(plane, golden):
    done = plane("status", "default", "-n", "clusters")
    assert done.code == 0
    golden("status-plane.txt", done.out)
    body = json.loads(plane("status", "-n", "clusters", "-o", "json").out)
    assert body["kind"] == "SealCluster"
    assert body["status"]["phase"] == "Provisioning"
    assert plane("status", "-n", "clusters", "--exit-code").code == 4
    assert {method for method, _ in plane.outside.kube.requests} == {"GET"}
    assert not plane.state.exists()


def test_plan_is_what_the_operator_is_about_to_do(plane):
    assert plane("plan", "-n", "clusters", "--exit-code").code == 4
    assert plane("plan", "-n", "clusters", "--exit-code", "-o", "json").code == 4
    assert plane("plan", "-n", "clusters").code == 0
    assert plane("plan", "-n", "clusters").out.splitlines() == [
        "plan for default: 2 steps",
        "  default-m1  claim  claim: the machine is free",
        "  … and 1 more",
    ]


def test_kubeconfig_is_that_of_the_secret(plane):
    assert plane("kubeconfig", "default", "-n", "clusters").out == "kubeconfig\n"


def test_retry_annotates_the_object(plane):
    done = plane("retry", "default", "-n", "clusters", "--context", "mine")
    assert done.code == 0
    assert plane.outside.planes == [(None, "mine")]
    body = json.loads(plane("status", "-n", "clusters", "-o", "json").out)
    assert body["metadata"]["annotations"]["sealcluster.io/retry"].startswith("2027-01-15T08:00:0")


def test_kubectl_seal_asks_the_plane_about_what_is_not_known_here(plane, tmp_path):
    kubeconfig = tmp_path / ".kube/config"
    kubeconfig.parent.mkdir()
    kubeconfig.write_text("current-context: a\ncontexts: [{name: a, context: {namespace: clusters}}]\n")
    assert "Provisioning" in plane("status", "default", program="kubectl-seal", env={"KUBECONFIG": str(kubeconfig)}).out
    assert plane("status", "default").code == 2


@pytest.mark.parametrize(("words", "says"), [(["other"], "SealCluster clusters/other: it does not exist"), ([], "there is none")])
def test_an_object_that_is_not_there(plane, words, says):
    done = plane("status", *words, "-n", "clusters" if words else "empty")
    assert done.code == 2
    assert says in done.err


def test_a_plane_that_does_not_answer(plane):
    plane.outside.kube.down = True
    done = plane("status", "-n", "clusters")
    assert done.code == 1
    assert "no answer" in done.err


def test_the_namespace_is_that_of_the_context(tmp_path):
    file = tmp_path / "config"
    file.write_text("current-context: a\ncontexts:\n- {name: a, context: {namespace: x}}\n- {name: b, context: {}}\n")
    assert default_namespace(Plane(kubeconfig=file)) == "x"
    assert default_namespace(Plane(kubeconfig=file, context="b")) == "default"
    assert default_namespace(Plane(kubeconfig=tmp_path / "none")) == "default"
    for broken in (b"a: [", b"\xff"):
        file.write_bytes(broken)
        with pytest.raises(TerminalError, match=r"reading the kubeconfig .*: it is not YAML"):
            default_namespace(Plane(kubeconfig=file))


def test_watching_an_object_until_it_is_gone(plane):
    async def change(phase):
        server = plane.outside.kube
        path = f"{server.server}/apis/sealcluster.io/v1alpha1/namespaces/clusters/sealclusters/default"
        if phase is None:
            server.down = False
            await server.request("DELETE", path, doing="deleting")
        elif phase == "down":
            server.down = True
        else:
            merge = "application/merge-patch+json"
            await server.request("PATCH", f"{path}/status", doing="writing", content_type=merge, body={"status": {"phase": phase}})

    async def story():
        for phase in ("Updating", "down", None):
            await asyncio.sleep(40)
            await change(phase)

    async def soon():
        return plane.outside.loop.create_task(story())

    task = plane.outside.loop.run_until_complete(soon())
    done = plane("status", "default", "-n", "clusters", "-w", "--exit-code")
    plane.outside.loop.run_until_complete(task)
    assert done.code == 4
    heads = [line.split()[1] for line in done.out.splitlines() if line.startswith("default  ")]
    assert heads[0] == "Provisioning"
    assert set(heads[1:]) == {"Updating"}
    told = ("no answer from https://fake.invalid", "this is what was seen last", "it is gone")
    places = [done.out.find(words) for words in told]
    assert -1 not in places
    assert places == sorted(places)
    # while it is silent and once it is gone it is shown as before; a look that falls between the server's return and the deletion shows it once more
    assert heads.count("Updating") in (3, 4)


@pytest.mark.parametrize("environment", [{}, {"KUBECONFIG": "/nowhere/a:/nowhere/b"}])
def test_without_any_kubeconfig_it_says_where_it_looked(tmp_path, environment):
    result = CliRunner().invoke(app, ["status", "-n", "clusters"], env={"KUBECONFIG": "", "HOME": str(tmp_path), **environment})
    looked = "/nowhere/a or /nowhere/b" if environment else str(tmp_path / ".kube/config")
    assert result.exit_code == 2
    assert f"there is no kubeconfig {looked}; give --kubeconfig FILE" in result.stderr
