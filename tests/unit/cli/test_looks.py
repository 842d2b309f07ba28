"""plan, preflight and status change nothing: no machine, no record, no fence."""

import json

import pytest

from sealcluster.testing.model.images import CNI, ROOTFS


@pytest.fixture
def manifest(cli):
    file = cli.folder / "cluster.yaml"
    file.write_text(cli("gen", ROOTFS, CNI, "--masters", "10.0.0.11", "--nodes", "10.0.0.12").out)
    return str(file)


def test_plan_of_a_new_cluster(cli, manifest, golden):
    cli.machines("a", "b")
    done = cli("plan", "-f", manifest, "--password-file", str(cli.password))
    assert done.code == 0
    golden("plan-new.txt", done.out)
    assert not (cli.state / "default").exists()
    assert [m.owner for m in cli.outside.world.machines.values()] == [None, None]


def test_plan_as_data(cli, manifest):
    cli.machines("a", "b")
    found = json.loads(cli("plan", "-f", manifest, "--password-file", str(cli.password), "-o", "json").out)
    assert found["cluster"] == "default"
    claim = next(s for s in found["steps"] if s["host"] == "default-w1")
    assert claim == {
        "host": "default-w1",
        "phase": "claim",
        "what": "claim",
        "why": "the machine is free",
        "after": None,
        "disruptive": False,
    }
    assert any(s["after"] for s in found["steps"])
    assert found["problems"] == []


def test_a_look_leaves_the_fence_alone(cli):
    cli.machines("a")
    cli.run()
    before = (cli.state / "default/state.json").read_bytes()
    fence = cli.outside.world.machine("a").fence
    for words in (["plan"], ["status"], ["preflight"]):
        assert cli(*words).code == 0
    assert (cli.state / "default/state.json").read_bytes() == before
    assert cli.outside.world.machine("a").fence == fence


def test_exit_codes_answer_not_yet(cli, manifest):
    machines = cli.machines("a", "b")
    assert cli("plan", "-f", manifest, "--password-file", str(cli.password), "--exit-code").code == 4
    cli.run(nodes="10.0.0.12")
    assert cli("plan", "--exit-code").code == 0
    assert cli("status", "--exit-code").code == 0
    cli.outside.power_off(machines["b"])
    assert cli("status", "--exit-code").code == 4


def test_preflight_shows_every_check_of_every_machine(cli, manifest, golden):
    machines = cli.machines("a", "b")
    machines["a"].hardware.cpus = 1
    machines["b"].skew = 90.0
    done = cli("preflight", "-f", manifest, "--password-file", str(cli.password))
    assert done.code == 3
    golden("preflight-failed.txt", done.out)
    assert cli.outside.images.resolved == []


def test_preflight_names_a_machine_that_cannot_be_seen(cli, manifest):
    machines = cli.machines("a", "b")
    cli.outside.power_off(machines["b"])
    done = cli("preflight", "-f", manifest, "--password-file", str(cli.password), "-o", "json")
    assert done.code == 3
    found = json.loads(done.out)
    assert found["passed"] is False
    assert [c["id"] for c in found["checks"] if c["host"] == "default-w1" and c["blocks"]] == ["connect"]
    assert any(c["host"] == "default-m1" and c["id"] == "cpu" for c in found["checks"])


def test_an_image_that_does_not_exist_is_a_problem_of_the_plan(cli):
    cli.machines("a")
    file = cli.folder / "cluster.yaml"
    file.write_text(cli("gen", "registry.example/kubernetes:v9", "--masters", "10.0.0.11").out)
    done = cli("plan", "-f", str(file), "--password-file", str(cli.password))
    assert done.code == 3
    assert "ImageNotFound: pulling registry.example/kubernetes:v9: no such image; correct the reference" in done.out


def test_status_of_a_sick_cluster_shows_what_is_wrong(cli, golden):
    machines = cli.machines("a", "b")
    cli.run(nodes="10.0.0.12")
    cli.outside.power_off(machines["b"])
    golden("status-sick.txt", cli("status").out)


def test_status_without_a_name_lists_several_clusters_without_touching_them(cli):
    cli.machines("a", "b")
    cli.run("--name", "one")
    cli.run("--name", "two", masters="10.0.0.12")
    calls = dict(cli.outside.world.ledger.calls)
    done = cli("status")
    assert [line.split()[:4] for line in done.out.splitlines()] == [
        ["CLUSTER", "HOSTS", "VERSION", "LAST"],
        ["one", "1", "v1.34.4", "Ready"],
        ["two", "1", "v1.34.4", "Ready"],
    ]
    assert dict(cli.outside.world.ledger.calls) == calls
    refused = cli("plan")
    assert refused.code == 2
    assert "name one of one, two" in refused.err


def test_credentials_that_were_typed_for_a_look_are_not_stored(cli, manifest):
    cli.machines("a", "b")
    cli("plan", "-f", manifest, "--password-file", str(cli.password))
    assert not list(cli.state.rglob("secrets"))
    unknown = cli("plan", "-f", manifest)
    assert unknown.code == 3
    assert "no key and no password is known" in unknown.err
