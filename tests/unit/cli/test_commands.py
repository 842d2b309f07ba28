"""The smaller commands."""

import json
from importlib import metadata

import pytest
import yaml

from sealcluster.testing.model.images import CNI, ROOTFS

CLUSTERFILE = """
apiVersion: apps.sealos.io/v1beta1
kind: Cluster
metadata: {name: old}
spec:
  image: [labring/kubernetes:v1.25.0, labring/calico:v3.24.1]
  hosts:
  - {ips: ["10.0.0.1:22"], roles: [master, amd64]}
  - {ips: ["10.0.0.2:22"], roles: [node, amd64]}
  ssh: {user: root, passwd: pa55word, port: 22}
"""


@pytest.fixture
def known(cli):
    """A cluster that was applied once, on machines of which nothing is needed."""
    cli.machines("a", "b", "c")
    cli.outside.interrupt_after = 5.0
    cli.run(masters="10.0.0.11,10.0.0.12", nodes="10.0.0.13")
    return cli


def test_version(cli):
    assert cli("version").out == f"sealcluster {metadata.version('sealcluster')}\n"
    assert json.loads(cli("version", "-o", "json").out)["apiVersion"] == "sealcluster.io/v1alpha1"
    assert cli("version", "-o", "yaml").out.startswith("version:")


def test_gen_prints_what_apply_takes_and_touches_nothing(cli):
    found = cli("gen", ROOTFS, CNI, "--masters", "10.0.0.11")
    assert found.code == 0
    document = yaml.safe_load(found.out)
    assert document["spec"]["hosts"] == [{"name": "default-m1", "address": "10.0.0.11", "roles": ["master"]}]
    assert json.loads(cli("gen", ROOTFS, CNI, "--masters", "10.0.0.11", "-o", "json").out) == document
    assert not cli.state.exists()


def test_convert_prints_the_object_and_says_what_is_to_be_made(cli):
    file = cli.folder / "Clusterfile"
    file.write_text(CLUSTERFILE)
    done = cli("convert", "-f", str(file))
    assert done.code == 0, done.err
    spec = yaml.safe_load(done.out)["spec"]
    assert [h["address"] for h in spec["hosts"]] == ["10.0.0.1", "10.0.0.2"]
    assert "make the Secret old-ssh with password" in done.err
    assert "note: " in done.err
    assert "pa55word" not in done.out + done.err


def test_convert_names_what_cannot_be_converted(cli):
    file = cli.folder / "Clusterfile"
    file.write_text(CLUSTERFILE.replace("labring/kubernetes:v1.25.0, labring/calico:v3.24.1", ""))
    done = cli("convert", "-f", str(file))
    assert done.code == 2
    assert "spec.image" in done.err


def test_exec_runs_on_every_host_and_prefixes_each_line(known):
    done = known("exec", "--", "uptime", "-p")
    assert done.code == 0
    assert sorted(done.out.splitlines()) == sorted(
        f"{host}  {line}" for host in ("default-m1", "default-m2", "default-w1") for line in ("ran uptime -p", "done")
    )


@pytest.mark.parametrize(
    ("words", "hosts"),
    [
        (["-r", "master"], {"default-m1", "default-m2"}),
        (["--roles", "node"], {"default-w1"}),
        (["--hosts", "default-m2,10.0.0.13"], {"default-m2", "default-w1"}),
    ],
)
def test_exec_on_some_hosts(known, words, hosts):
    done = known("exec", *words, "--", "true")
    assert {line.split()[0] for line in done.out.splitlines()} == hosts


def test_exec_keeps_words_apart_and_takes_one_word_as_shell_text(known):
    assert "ran printf %s 'a b'" in known("exec", "--hosts", "default-m1", "--", "printf", "%s", "a b").out
    assert "ran a | b" in known("exec", "--hosts", "default-m1", "--", "a | b").out


def test_exec_says_where_it_failed(known):
    known.outside.failing_commands["default-w1"] = 3
    done = known("exec", "--", "false")
    assert (done.code, done.err) == (1, "sealcluster: default-w1: exit code 3\n")


@pytest.mark.parametrize(("words", "says"), [(["--hosts", "x"], "default has no x"), (["-r", "boss"], "boss is no role")])
def test_exec_on_hosts_that_are_not_there(known, words, says):
    done = known("exec", *words, "--", "true")
    assert done.code == 2
    assert says in done.err


def test_a_kubeconfig_that_is_not_there_yet(known):
    done = known("kubeconfig")
    assert done.code == 1
    assert "there is none yet" in done.err


def test_registries_are_remembered(known):
    known("plan", "--insecure-registry", "r.example:5000")
    assert known.outside.settings[-1].insecure_registries == ("r.example:5000",)
    known.outside.interrupt_after = 5.0
    known("retry", "--insecure-registry", "s.example:5000")
    known("plan")
    assert known.outside.settings[-1].insecure_registries == ("s.example:5000",)


def test_the_shell_completes_names_of_clusters(known):
    env = {"_SEALCLUSTER_COMPLETE": "complete_bash", "COMP_WORDS": "sealcluster status d", "COMP_CWORD": "2"}
    assert known("status", program="sealcluster", env=env).out.split() == ["default"]


def test_a_time_that_is_none(cli):
    cli.machines("a")
    done = cli.run("--timeout", "soon")
    assert done.code == 2
    assert "'soon' is no time" in done.err
