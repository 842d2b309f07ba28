"""What cannot be is refused with one clear line before anything is touched; what goes wrong ends with a code that says how."""

import fcntl
import json
import os
import stat

import pytest
import yaml

from sealcluster.cli import busy
from sealcluster.testing.model.images import CNI, ROOTFS


@pytest.fixture
def manifest(cli):
    return yaml.safe_load(cli("gen", ROOTFS, CNI, "--masters", "10.0.0.11").out)


@pytest.fixture
def apply(cli):
    def apply(*documents, **more):
        file = cli.folder / "cluster.yaml"
        file.write_text(yaml.safe_dump_all(documents))
        return cli("apply", "-f", str(file), "--password-file", str(cli.password), **more)

    return apply


def test_every_wrong_field_is_named(apply, manifest, cli):
    manifest["spec"]["hosts"][0]["address"] = "ten"
    manifest["spec"]["endpont"] = {}
    done = apply(manifest)
    assert done.code == 2
    lines = done.err.splitlines()
    assert any(line.startswith("sealcluster: spec.hosts[0].address: must be an IPv4 address") for line in lines)
    assert any(line.startswith("sealcluster: spec.endpont: is not a field") for line in lines)
    assert "Traceback" not in done.err
    assert not cli.state.exists()


def test_a_command_is_not_refused_because_somebody_looks_who_works(tmp_path, monkeypatch):
    with busy.working(tmp_path, "run"):
        pass
    looking = os.open(tmp_path / "busy", os.O_RDWR)
    fcntl.flock(looking, fcntl.LOCK_SH)
    monkeypatch.setattr(busy.time, "sleep", lambda _seconds: os.close(looking))
    with busy.working(tmp_path, "apply"):
        assert "sealcluster apply" in busy.holder(tmp_path)


def test_rules_between_fields_are_checked_too(apply, manifest):
    manifest["spec"]["hosts"].append({"name": "w1", "address": "10.0.0.11", "roles": ["node"]})
    done = apply(manifest)
    assert (done.code, done.err) == (
        2,
        "sealcluster: spec.hosts[1].address: 10.0.0.11 of host w1 is also the address of host default-m1: give each host its own\n",
    )


def test_what_is_built_into_a_running_cluster_cannot_be_changed(cli, apply, manifest):
    cli.machines("a")
    assert apply(manifest).code == 0
    before = (cli.state / "default/cluster.yaml").read_text()
    calls = dict(cli.outside.world.ledger.calls)
    manifest["spec"]["network"] = {"podSubnet": "10.128.0.0/16"}
    done = apply(manifest)
    assert done.code == 2
    assert done.err.startswith("sealcluster: spec.network.podSubnet: cannot be changed from 100.64.0.0/10 to 10.128.0.0/16")
    assert (cli.state / "default/cluster.yaml").read_text() == before
    assert dict(cli.outside.world.ledger.calls) == calls


def test_before_the_cluster_exists_everything_may_be_changed(cli, apply, manifest):
    machines = cli.machines("a")
    machines["a"].hardware.routes = ("100.64.5.0/24",)
    blocked = apply(manifest)
    assert blocked.code == 3
    assert "choose another spec.network.podSubnet" in blocked.err
    assert machines["a"].owner is None
    manifest["spec"]["network"] = {"podSubnet": "10.128.0.0/16"}
    assert apply(manifest).code == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "it holds no SealClusters, expected one"),
        ("a: [", "line 1: it is not YAML"),
        ("kind: Pod", "document 1 is of kind Pod; only SealCluster, Secret and ConfigMap are read"),
        ("- a", "document 1 is no manifest"),
        ("kind: Cluster", "convert it first: sealcluster convert -f"),
        ("kind: Secret\nmetadata: {name: x}\ndata: {password: s3cret!}", "Secret x in"),
    ],
)
def test_a_file_that_is_something_else(cli, text, says):
    file = cli.folder / "x.yaml"
    file.write_text(text)
    done = cli("apply", "-f", str(file))
    assert done.code == 2
    assert says in done.err
    assert "s3cret" not in done.err


def test_a_file_that_is_not_there(cli):
    done = cli("apply", "-f", str(cli.folder / "none.yaml"))
    assert (done.code, done.err) == (1, f"sealcluster: No such file or directory: {cli.folder}/none.yaml\n")


def test_a_wrong_password_stops_with_a_hint(cli):
    cli.machines("a")
    cli.password.write_text("wrong")
    done = cli.run()
    assert done.code == 3
    assert "stopped, a person is needed: logging in as root: permission denied; correct the credentials Secret" in done.err
    cli.password.write_text("secret")
    assert cli.run().code == 0


def test_without_credentials_it_is_said_how_to_give_them(cli):
    cli.machines("a")
    done = cli("run", ROOTFS, CNI, "--masters", "10.0.0.11")
    assert done.code == 3
    assert "no key and no password is known; give --key FILE, --password-file FILE or --ask-password" in done.err


def test_a_pause_is_no_wait(cli, apply, manifest):
    cli.machines("a")
    manifest["spec"]["paused"] = True
    done = apply(manifest)
    assert done.code == 3
    assert "spec.paused holds up every change" in done.err


def test_two_commands_do_not_change_one_cluster_at_a_time(cli):
    cli.machines("a")
    with busy.working(cli.state / "default", "apply"):
        done = cli.run()
        assert done.code == 1
        assert f"`sealcluster apply` (process {os.getpid()}, since " in done.err
        assert "is doing that already" in done.err
    assert cli.run().code == 0
    with busy.working(cli.state / "default", "apply"):
        assert "`sealcluster apply` (process" in cli("status").out


def test_an_unknown_failure_is_a_bug_of_ours_and_says_where_the_log_is(cli, monkeypatch):
    monkeypatch.setattr(cli.outside, "run", lambda work: (work.close(), 1 / 0))
    done = cli.run()
    log = cli.state / ".log"
    assert (done.code, done.err) == (70, f"sealcluster: internal error: ZeroDivisionError: division by zero; the traceback is in {log}\n")
    assert "Traceback" in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_the_log_and_progress_do_not_mix(cli):
    cli.machines("a")
    log = cli.folder / "elsewhere.log"
    done = cli.run("--log-file", str(log))
    assert "WARNING" not in done.err
    assert "INFO" not in done.err
    assert "phase=claim" in log.read_text()


def test_verbose_shows_the_log(cli):
    cli.machines("a")
    assert "phase=claim" in cli.run("-v").err


def test_no_secret_is_printed_logged_or_world_readable(cli):
    cli.machines("a")
    cli.password.write_text("c4nary-pa55word\n")
    cli.outside.world.machine("a").login.password = "c4nary-pa55word"
    done = [cli.run("-vv"), cli("status"), cli("status", "-o", "yaml"), cli("plan", "-o", "json"), cli("gen", ROOTFS)]
    assert all("c4nary" not in d.out + d.err for d in done)
    holders = [p for p in cli.state.rglob("*") if p.is_file() and b"c4nary" in p.read_bytes()]
    assert holders == [cli.state / "default/secrets/cli.json"]
    open_to_others = [p for p in cli.state.rglob("*") if stat.S_IMODE(p.stat().st_mode) & 0o077]
    assert open_to_others == []


@pytest.mark.parametrize("name", ["../x", ".hidden", "a/b"])
def test_a_name_cannot_leave_the_directory(cli, name):
    done = cli("status", name)
    assert done.code == 2
    assert "is not a valid name" in done.err


def test_wrong_usage_is_explained(cli):
    done = cli("run")
    assert done.code == 2
    assert "IMAGE" in done.err


def test_what_was_refused_to_a_cluster_that_runs_on_without_its_manifest_is_refused(cli, apply, manifest):
    cli.machines("a")
    assert apply(manifest).code == 0
    assert cli("delete", "--retain", "--yes").code == 0
    manifest["spec"]["network"] = {"podSubnet": "10.128.0.0/16"}
    done = apply(manifest)
    assert done.code == 2
    assert done.err.startswith("sealcluster: spec.network.podSubnet: cannot be changed from 100.64.0.0/10 to 10.128.0.0/16")
    manifest["spec"].pop("network")
    assert apply(manifest).code == 0


def test_a_record_of_a_release_that_did_not_write_down_what_a_cluster_was_made_from_is_adopted(cli, apply, manifest):
    cli.machines("a")
    assert apply(manifest).code == 0
    path = cli.state / "default/state.json"
    record = json.loads(path.read_text())
    made = record.pop("made_from")
    path.write_text(json.dumps(record))
    manifest["spec"]["kubeadm"] = {"cluster": {"apiServer": {"extraArgs": [{"name": "v", "value": "5"}]}}}
    done = apply(manifest)
    assert (done.code, "spec.kubeadm.cluster: cannot be changed" in done.err) == (2, True)
    assert json.loads(path.read_text())["made_from"] == made


def test_a_wish_that_changed_while_kubeadm_init_ran_is_not_taken_for_what_was_made(cli, apply, manifest):
    cli.machines("a")
    world, seconds = cli.outside.world, 40.0
    while not any(step == "kubeadm-init" for _, step, _, _ in world.ledger.starts):
        cli.outside.interrupt_after = seconds
        assert apply(manifest).code == 130
    asked = yaml.safe_load(yaml.safe_dump(manifest))
    asked["spec"]["kubeadm"] = {"cluster": {"apiServer": {"extraArgs": [{"name": "v", "value": "5"}]}}}
    done = apply(asked)
    assert (done.code, "spec.kubeadm.cluster: cannot be changed" in done.err) == (3, True)
    assert apply(asked).code == 2
    assert apply(manifest).code == 0
