"""A cluster's whole life through the command line, on model machines: made, looked at, changed, interrupted, deleted."""

import json

import pytest
import yaml

from sealcluster.cli import busy
from sealcluster.testing.model.images import CNI, ROOTFS


def test_run_makes_a_cluster_and_says_how_to_use_it(cli):
    cli.machines("a", "b", "c", "d")
    done = cli.run(masters="10.0.0.11-10.0.0.13", nodes="10.0.0.14")
    assert done.code == 0
    assert "default is ready: 4 nodes, Kubernetes v1.34.4" in done.err
    assert f"--kubeconfig {cli.state}/default/kubeconfig" in done.err
    assert cli("kubeconfig").out == (cli.state / "default" / "kubeconfig").read_text()
    assert cli.outside.opened == cli.outside.closed


def test_fingerprints_of_keys_accepted_on_first_use_are_printed_once(cli):
    machines = cli.machines("a")
    first, second = cli.run(), cli.run()
    line = "default-m1: accepted the host key of 10.0.0.11 on first use: SHA256:"
    assert line in first.err
    assert "first use" not in second.err
    assert json.loads((cli.state / "default/state.json").read_text())["inventory"]["default-m1"]["host_key"] == machines["a"].host_key


def test_the_same_run_again_has_nothing_to_do(cli):
    cli.machines("a")
    cli.run()
    starts = dict(cli.outside.world.ledger.init_starts)
    done = cli.run()
    assert done.code == 0
    assert "default is ready: 1 node, Kubernetes v1.34.4, nothing was to be done" in done.err
    assert dict(cli.outside.world.ledger.init_starts) == starts


def test_an_interrupted_run_goes_on_where_it_was(cli):
    cli.machines("a", "b")
    cli.outside.interrupt_after = 40.0
    stopped = cli.run(nodes="10.0.0.12")
    assert stopped.code == 130
    assert "run the same command again to go on" in stopped.err
    done = cli.run(nodes="10.0.0.12")
    assert done.code == 0, done.err
    assert "claim" not in done.err
    assert set(cli.outside.world.ledger.init_successes.values()) == {1}
    assert cli.outside.opened == cli.outside.closed


def test_giving_up_waiting_says_what_it_waited_for(cli):
    cli.machines("a")
    done = cli.run("--timeout", "30s")
    assert done.code == 1
    assert "waiting for default: not done within 30 s (" in done.err
    assert cli.run().code == 0


def test_status_is_what_the_operator_would_write(cli, golden):
    cli.machines("a", "b")
    cli.run(nodes="10.0.0.12")
    golden("status-ready.txt", cli("status").out)
    document = json.loads(cli("status", "-o", "json").out)
    assert (document["kind"], document["metadata"]["name"], document["metadata"]["generation"]) == ("SealCluster", "default", 1)
    assert document["status"]["phase"] == "Ready"
    assert document["status"]["nodes"] == {"masters": "1/1", "workers": "1/1", "ready": 2, "desired": 2}
    assert [h["hostKeyFingerprint"][:7] for h in document["status"]["hosts"]] == ["SHA256:", "SHA256:"]
    assert yaml.safe_load(cli("status", "-o", "yaml").out)["status"]["hosts"] == document["status"]["hosts"]


def test_transition_times_outlive_the_command(cli):
    cli.machines("a")
    cli.run()

    def ready_since():
        found = json.loads(cli("status", "-o", "json").out)["status"]["conditions"]
        return next(c["lastTransitionTime"] for c in found if c["type"] == "Ready")

    assert ready_since() == ready_since()
    stored = json.loads((cli.state / "default/status.json").read_text())["conditions"]
    assert next(c["lastTransitionTime"] for c in stored if c["type"] == "Ready") == ready_since()


def test_what_was_printed_can_be_edited_and_applied(cli):
    cli.machines("a", "b")
    cli.run(nodes="10.0.0.12")
    document = yaml.safe_load(cli("status", "-o", "yaml").out)
    del document["spec"]["hosts"][1]
    file = cli.folder / "edited.yaml"
    file.write_text(yaml.safe_dump(document))
    before = cli("plan", "-f", str(file))
    assert "default-w1" in before.out
    assert "its row left the spec" in before.out
    assert cli("apply", "-f", str(file)).code == 0
    status = json.loads(cli("status", "-o", "json").out)
    assert (status["metadata"]["generation"], status["status"]["nodes"]["desired"]) == (2, 1)
    assert cli.outside.world.machine("b").leftovers() == ()


def test_run_adds_images_and_machines_and_takes_nothing_away(cli):
    cli.machines("a", "b")
    cli.run()
    done = cli("run", CNI, "--nodes", "10.0.0.12")
    assert done.code == 0, done.err
    spec = json.loads(cli("status", "-o", "json").out)["spec"]
    assert [i["ref"] for i in spec["images"]] == [ROOTFS, CNI]
    assert [h["name"] for h in spec["hosts"]] == ["default-m1", "default-w1"]


def test_delete_with_reset_cleans_machines_and_removes_all_records(cli):
    cli.machines("a", "b")
    cli.run(nodes="10.0.0.12")
    done = cli("delete", "default", "--reset", "--yes")
    assert done.code == 0, done.err
    assert not (cli.state / "default").exists()
    assert [m.leftovers() for m in cli.outside.world.machines.values()] == [(), ()]
    assert cli("status").code == 2


def test_an_interrupted_deletion_is_finished_and_nothing_else_is_done_meanwhile(cli):
    cli.machines("a", "b")
    cli.run(nodes="10.0.0.12")
    cli.outside.interrupt_after = 3.0
    assert cli("delete", "--reset", "--yes").code == 130
    assert "Deleting" in cli("status").out
    refused = cli.run(nodes="10.0.0.12")
    assert refused.code == 2
    assert "it is being deleted" in refused.err
    assert cli("retry").code == 0
    assert not (cli.state / "default").exists()


def test_delete_with_retain_touches_no_machine_and_apply_takes_it_up_again(cli):
    cli.machines("a")
    cli.run()
    file = cli.folder / "kept.yaml"
    file.write_text(cli("status", "-o", "yaml").out)
    calls = dict(cli.outside.world.ledger.calls)
    done = cli("delete", "--yes")
    assert done.code == 0
    assert "runs on" in done.err
    assert dict(cli.outside.world.ledger.calls) == calls
    assert (cli.state / "default/pki/ca.key").is_file()
    again = cli("apply", "-f", str(file))
    assert again.code == 0
    assert "nothing was to be done" in again.err


def test_deletion_is_confirmed_by_a_person_or_not_done(cli):
    cli.machines("a")
    cli.run()
    done = cli("delete", "--reset", stdin="default\n")
    assert done.code == 2
    assert "say --yes" in done.err
    assert (cli.state / "default/cluster.yaml").is_file()


def test_a_machine_that_is_lost_for_good_is_acknowledged_on_the_command_line(cli):
    machines = cli.machines("a", "b")
    cli.run(nodes="10.0.0.12")
    cli.outside.power_off(machines["b"])
    stuck = cli("delete", "--reset", "--yes")
    assert stuck.code == 3
    hint = f"sealcluster retry default --acknowledge-lost default-w1={machines['b'].machine_id}"
    assert hint in stuck.err
    assert cli(*hint.split()[1:]).code == 0
    assert not (cli.state / "default").exists()


@pytest.mark.thorough
@pytest.mark.parametrize("words", [("run",), ("retry",)])
def test_a_command_that_was_overtaken_takes_nothing_away(cli, monkeypatch, words):
    """It was made of what was applied before: another command added a machine between that and the lock."""
    machines = cli.machines("m1", "w1")
    assert cli.run().code == 0
    real = busy.working

    def overtaken(directory, command):
        monkeypatch.setattr(busy, "working", real)
        assert cli.run(nodes="10.0.0.12").code == 0
        return real(directory, command)

    monkeypatch.setattr(busy, "working", overtaken)
    done = cli.run() if words == ("run",) else cli(*words)
    assert (done.code, "another command has just changed it; run the same command again" in done.err) == (1, True)
    assert cli.run().code == 0
    assert machines["w1"].owner is not None
