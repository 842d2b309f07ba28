"""The workers' balancers as files."""

import hashlib
import itertools
from pathlib import Path

import pytest
import yaml

from sealcluster.render.staticpod import HAPROXY_CONFIG, haproxy_config, haproxy_files, lvscare_files

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "staticpod"
MASTERS = ("10.0.0.11:6443", "10.0.0.12:6443", "10.0.0.13:6443")


def lvscare(masters=MASTERS):
    return lvscare_files(image="ghcr.io/labring/lvscare:v4.3.7", vip="10.103.97.2", port=6443, masters=masters, node_ip="10.0.0.21")


def haproxy(masters=MASTERS):
    return haproxy_files(image="sealos.hub:5000/haproxy:2.6", port=6443, masters=masters)


@pytest.mark.parametrize("file", [*lvscare(), *haproxy()], ids=lambda file: Path(file.path).name)
def test_golden(file):
    assert file.content.decode() == (GOLDEN / Path(file.path).name).read_text()


@pytest.mark.parametrize("render", [lvscare, haproxy])
def test_the_order_of_masters_changes_nothing(render):
    assert len({render(order) for order in itertools.permutations(MASTERS)}) == 1
    assert render(MASTERS * 2) == render()
    assert render(MASTERS[:2]) != render()


def test_masters_are_listed_by_number():
    config = haproxy_config(port=6443, masters=["10.0.0.10:6443", "m.example:6443", "[fd00::1]:6443", "10.0.0.9:6443"])
    assert [line.split()[-1] for line in config.splitlines() if line.strip().startswith("server ")] == [
        "10.0.0.9:6443",
        "10.0.0.10:6443",
        "[fd00::1]:6443",
        "m.example:6443",
    ]


def test_lvscare_gets_what_sealos_gives_it():
    (file,) = lvscare()
    assert file.path == "/etc/kubernetes/manifests/kube-sealos-lvscare.yaml"
    pod = yaml.safe_load(file.content)
    (container,) = pod["spec"]["containers"]
    assert (container["command"], container["args"][:7]) == (
        ["/usr/bin/lvscare"],
        ["care", "--vs", "10.103.97.2:6443", "--health-path", "/healthz", "--health-schem", "https"],
    )
    assert container["args"][7:] == [word for master in MASTERS for word in ("--rs", master)]
    assert container["env"] == [{"name": "LVSCARE_NODE_IP", "value": "10.0.0.21"}]
    assert container["securityContext"] == {"privileged": True}
    assert container["volumeMounts"] == [{"name": "lib-modules", "mountPath": "/lib/modules", "readOnly": True}]
    assert (pod["spec"]["hostNetwork"], pod["spec"]["priorityClassName"]) == (True, "system-node-critical")


def test_haproxy_listens_on_loopback_only_and_may_do_nothing_else():
    config, manifest = haproxy()
    assert config.path == HAPROXY_CONFIG
    binds = [line.split()[1] for line in config.content.decode().splitlines() if line.strip().startswith("bind")]
    assert binds == ["127.0.0.1:6443"]
    security = yaml.safe_load(manifest.content)["spec"]["containers"][0]["securityContext"]
    assert security == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True}


def test_a_new_list_of_masters_changes_the_pod_too():
    (config, pod), (_, other) = haproxy(), haproxy(MASTERS[:1])
    annotations = yaml.safe_load(pod.content)["metadata"]["annotations"]
    assert annotations == {"sealcluster.io/config-digest": hashlib.sha256(config.content).hexdigest()}
    assert pod.content != other.content
    mounts = yaml.safe_load(pod.content)["spec"]
    assert mounts["volumes"][0]["hostPath"] == {"path": config.path, "type": "File"}
    assert mounts["containers"][0]["command"][-1] == mounts["containers"][0]["volumeMounts"][0]["mountPath"]
