"""The awk program that completes a kubeconfig on the host, under every awk of this machine."""

import shutil
import subprocess

import pytest
import yaml

from sealcluster.pki.kubeconfigs import COMPLETE_AWK, completion_values

AWKS = [command for command in (["mawk"], ["gawk", "--posix"], ["busybox", "awk"], ["awk"]) if shutil.which(command[0])]
FRESH = """\
apiVersion: v1
clusters:
- cluster:
    server: https://apiserver.cluster.local:6443
  name: kubernetes
contexts:
- context:
    cluster: kubernetes
    user: kubernetes-admin
  name: kubernetes-admin@kubernetes
current-context: kubernetes-admin@kubernetes
kind: Config
preferences: {}
users:
- name: kubernetes-admin
  user:
    client-key-data: S0VZ
"""


def complete(awk, text, values):
    settings = [word for name, value in values.items() for word in ("-v", f"{name}={value}")]
    return subprocess.run([*awk, *settings, COMPLETE_AWK], input=text, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
def test_both_lines_are_added_and_the_rest_is_kept(awk):
    done = complete(awk, FRESH, completion_values("CA\n", "CERT\n"))
    assert done.returncode == 0, done.stderr
    document, before = yaml.safe_load(done.stdout), yaml.safe_load(FRESH)
    assert document["clusters"][0]["cluster"].pop("certificate-authority-data") == "Q0EK"
    assert document["users"][0]["user"].pop("client-certificate-data") == "Q0VSVAo="
    assert document == before


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
def test_again_with_new_certificates_renews_and_with_the_same_changes_nothing(awk):
    once = complete(awk, FRESH, completion_values("CA\n", "OLD\n")).stdout
    assert complete(awk, once, completion_values("CA\n", "OLD\n")).stdout == once
    renewed = complete(awk, once, completion_values("CA\n", "NEW\n")).stdout
    assert renewed == complete(awk, FRESH, completion_values("CA\n", "NEW\n")).stdout


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
def test_the_server_can_be_replaced(awk):
    done = complete(awk, FRESH, {**completion_values("CA\n", "C\n"), "server": "https://10.0.0.11:6443"})
    assert yaml.safe_load(done.stdout)["clusters"][0]["cluster"]["server"] == "https://10.0.0.11:6443"


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize("text", ["", FRESH.replace("client-key-data", "token"), FRESH + FRESH])
def test_anything_but_one_server_and_one_key_fails(awk, text):
    done = complete(awk, text, completion_values("CA\n", "CERT\n"))
    assert done.returncode == 1
    assert "expected one server and one client-key-data" in done.stderr
