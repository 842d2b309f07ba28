"""status.clusterfile, and what `convert` makes of Clusterfiles."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from sealcluster.api import SealClusterSpec
from sealcluster.render.clusterfile import (
    ClusterfileConfig,
    ClusterfileHost,
    ClusterfileImage,
    ClusterfileInputs,
    render_clusterfile,
)
from sealcluster.render.clusterfile_documents import without
from sealcluster.render.clusterfile_hosts import SecretToMake
from sealcluster.render.clusterfile_parse import parse_clusterfile
from sealcluster.render.kubeadm import init_documents, join_template
from sealcluster.render.kubeadm_inputs import FieldError, KubeadmDocuments, NodeInputs
from unit.render.kubeadm_cases import TOKEN, USER, cluster

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "clusterfile"
KUBEADM = cluster(34, user_documents=USER)
INPUTS = ClusterfileInputs(
    name="demo",
    images=(
        ClusterfileImage("kubernetes", "registry.example/kubernetes:v1.34.4", "rootfs"),
        ClusterfileImage("calico", "registry.example/calico:v3.30.1", "application"),
    ),
    hosts=(
        ClusterfileHost("10.0.0.21", ("node",), arch="amd64"),
        ClusterfileHost("10.0.0.11", ("master", "registry"), arch="amd64"),
        ClusterfileHost("10.0.0.12", ("master",), arch="amd64"),
        ClusterfileHost("10.0.0.13", ("master",), arch="amd64"),
        ClusterfileHost("10.0.0.22", ("node",), port=2222, user="ops", arch="arm64", env={"criData": "/data", "A": "b=c"}),
    ),
    env={"registryPort": "5001", "disableApparmor": "true"},
    configs=(ClusterfileConfig("charts/calico.values.yaml", "a: 1\nb: 2\n", "registry.example/calico:v3.30.1", "merge"),),
    documents=(*init_documents(KUBEADM, NodeInputs("m1", "10.0.0.11")), join_template(KUBEADM)),
    created="2026-03-01T12:00:00Z",
    ready=True,
)


def test_golden():
    assert render_clusterfile(INPUTS) == (GOLDEN / "demo.yaml").read_text()


def test_the_first_document_is_the_cluster_and_the_first_address_master_0():
    first, *rest = yaml.safe_load_all(render_clusterfile(INPUTS))
    assert (first["apiVersion"], first["kind"]) == ("apps.sealos.io/v1beta1", "Cluster")
    assert first["spec"]["hosts"][0] == {"ips": ["10.0.0.11:22"], "roles": ["master", "registry", "amd64"]}
    assert [document["kind"] for document in rest] == [
        "Config",
        "InitConfiguration",
        "ClusterConfiguration",
        "KubeletConfiguration",
        "KubeProxyConfiguration",
        "JoinConfiguration",
    ]


def test_nothing_secret_is_in_it():
    text = render_clusterfile(INPUTS)
    for word in ("passwd", "pkData", "PRIVATE", "certificateKey", "bootstrapTokens", TOKEN):
        assert word not in text


def test_before_the_cluster_is_ready_it_says_so():
    first = next(yaml.safe_load_all(render_clusterfile(replace(INPUTS, created="", ready=False, images=INPUTS.images[:1]))))
    assert first["status"]["phase"] == "ClusterInProcess" and "conditions" not in first["status"]
    assert "creationTimestamp" not in first["metadata"]


def test_two_thousand_hosts_stay_small():
    hosts = tuple(ClusterfileHost(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", ("master" if n < 5 else "node",)) for n in range(2000))
    assert len(render_clusterfile(replace(INPUTS, hosts=hosts))) < 50_000


def test_what_was_written_reads_back_as_the_same_cluster():
    converted = parse_clusterfile(render_clusterfile(INPUTS))
    assert converted.name == "demo"
    spec = SealClusterSpec.model_validate(converted.spec)
    assert [(host.name, host.address, [str(role) for role in host.roles]) for host in spec.hosts] == [
        ("master-1", "10.0.0.11", ["master", "registry"]),
        ("master-2", "10.0.0.12", ["master"]),
        ("master-3", "10.0.0.13", ["master"]),
        ("node-1", "10.0.0.21", ["node"]),
        ("node-2", "10.0.0.22", ["node"]),
    ]
    assert (spec.hosts[4].port, dict(spec.hosts[4].env)) == (2222, {"criData": "/data", "A": "b=c"})
    assert spec.hosts[4].ssh is not None and spec.hosts[4].ssh.user == "ops"
    assert [(image.name, image.ref) for image in spec.images] == [(image.name, image.ref) for image in INPUTS.images]
    assert spec.configs[0].match == "calico" and spec.configs[0].data == "a: 1\nb: 2\n"
    assert (spec.registry.port, spec.network.proxy_mode, spec.certificates.validity, spec.certificates.ca_validity) == (
        5001,
        "ipvs",
        "10y",
        "100y",
    )
    assert list(spec.certificates.extra_sans) == ["192.168.72.100"]


def test_the_kubeadm_documents_read_back_render_the_same_again():
    spec = parse_clusterfile(render_clusterfile(INPUTS)).spec
    documents = KubeadmDocuments(**{name.replace("kubeProxy", "kube_proxy"): document for name, document in spec["kubeadm"].items()})
    again = cluster(34, user_documents=documents, extra_sans=tuple(spec["certificates"]["extraSANs"]))
    node = NodeInputs("m1", "10.0.0.11")
    assert sorted_sets(init_documents(again, node)) == sorted_sets(init_documents(KUBEADM, node))
    assert join_template(again) == join_template(KUBEADM)


def sorted_sets(documents):
    """Names and networks are sets: their order says nothing."""
    documents[1]["apiServer"]["certSANs"].sort()
    documents[3]["ipvs"]["excludeCIDRs"].sort()
    return documents


def test_only_what_differs_from_the_defaults_is_left_of_the_documents():
    plain = replace(INPUTS, documents=(*init_documents(cluster(34), NodeInputs("m1", "10.0.0.11")), join_template(cluster(34))))
    spec = parse_clusterfile(render_clusterfile(plain)).spec
    assert "kubeadm" not in spec
    assert spec["network"] == {
        "podSubnet": "100.64.0.0/10",
        "serviceSubnet": "10.96.0.0/22",
        "dnsDomain": "cluster.local",
        "proxyMode": "ipvs",
    }


def test_a_clusterfile_of_sealos_itself():
    converted = parse_clusterfile((GOLDEN / "sealos.yaml").read_text())
    assert converted.manifest() == yaml.safe_load((GOLDEN / "sealos-converted.yaml").read_text())
    SealClusterSpec.model_validate(converted.spec)
    assert converted.secrets == (
        SecretToMake("default-ssh", ("password",), "spec.ssh.passwd"),
        SecretToMake(
            "default-ssh-2", ("ssh-privatekey", "passphrase"), "spec.hosts[1].ssh.pk (the content of that file), spec.hosts[1].ssh.pkPasswd"
        ),
    )
    assert any("tokens and keys are made for each join" in note for note in converted.notes)
    everything = repr(converted)
    for canary in ("s3cr3t-canary", "passphrase-canary", "abcdef.0123456789abcdef"):
        assert canary not in everything


def minimal(**changes):
    spec = {"image": ["labring/kubernetes:v1.34.4"], "hosts": [{"ips": ["10.0.0.11"], "roles": ["master"]}], **changes}
    return yaml.safe_dump({"apiVersion": "apps.sealos.io/v1beta1", "kind": "Cluster", "metadata": {"name": "default"}, "spec": spec})


def test_the_least_that_can_be_written():
    converted = parse_clusterfile(minimal())
    assert converted.spec == {
        "images": [{"name": "kubernetes", "ref": "labring/kubernetes:v1.34.4"}],
        "hosts": [{"name": "master-1", "address": "10.0.0.11", "roles": ["master"]}],
        "ssh": {"user": "root", "port": 22, "credentialsSecretRef": {"name": "default-ssh"}},
    }
    assert converted.secrets == (SecretToMake("default-ssh", ("ssh-privatekey",), "$HOME/.ssh/id_rsa of the machine that ran sealos"),)


def test_images_of_the_same_name_get_numbers():
    refs = ["a/kubernetes:v1", "b.example:5000/Calico@sha256:" + "a" * 64, "c/kubernetes", "d/kubernetes:v2"]
    assert [image["name"] for image in parse_clusterfile(minimal(image=refs)).spec["images"]] == [
        "kubernetes",
        "calico",
        "kubernetes-2",
        "kubernetes-3",
    ]


def test_the_default_vip_of_the_environment_and_the_command():
    spec = parse_clusterfile(minimal(env=["defaultVIP=10.103.97.9", "registryDomain=hub.example"], command=["a", "b"])).spec
    assert spec["endpoint"] == {"vip": "10.103.97.9"}
    assert spec["registry"] == {"domain": "hub.example"}
    assert spec["images"][0]["args"] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("{{ .Values.x }}", "Clusterfile"),
        ("a: [", "Clusterfile"),
        ("", "Clusterfile"),
        ("kind: Deployment", "Clusterfile"),
        ("cluster-cidr: 10.0.0.0/8", "Clusterfile"),
        (minimal() + "---\n" + minimal(), "Clusterfile"),
        (minimal().replace("v1beta1", "v1"), "Clusterfile"),
        (minimal().replace("name: default", "name: De_fault"), "metadata.name"),
        (minimal(image=[]), "spec.image"),
        (minimal(image="x"), "spec.image"),
        (minimal(hosts=[]), "spec.hosts"),
        (minimal(hosts=["x"]), "spec.hosts[0]"),
        (minimal(hosts=[{"ips": ["10.0.0.1"], "roles": ["node"]}]), "spec.hosts"),
        (minimal(hosts=[{"ips": [], "roles": ["master"]}]), "spec.hosts[0].ips"),
        (minimal(hosts=[{"ips": ["fd00::1"], "roles": ["master"]}]), "spec.hosts[0].ips[0]"),
        (minimal(hosts=[{"ips": ["10.0.0.1:99999"], "roles": ["master"]}]), "spec.hosts[0].ips[0]"),
        (minimal(hosts=[{"ips": ["10.0.0.1", "10.0.0.1:23"], "roles": ["master"]}]), "spec.hosts[0].ips[1]"),
        (minimal(hosts=[{"ips": ["10.0.0.1"], "roles": []}]), "spec.hosts[0].roles"),
        (minimal(hosts=[{"ips": ["10.0.0.1"], "roles": ["king"]}]), "spec.hosts[0].roles"),
        (minimal(hosts=[{"ips": ["10.0.0.1"], "roles": ["registry"]}]), "spec.hosts[0].roles"),
        (minimal(hosts=[{"ips": ["10.0.0.1"], "roles": ["master", "node"]}]), "spec.hosts[0].roles"),
        (minimal(hosts=[{"ips": ["10.0.0.1"], "roles": ["master"], "env": ["x"]}]), "spec.hosts[0].env[0]"),
        (minimal(hosts=[{"ips": ["10.0.0.1"], "roles": ["master"], "ssh": "x"}]), "spec.hosts[0].ssh"),
        (minimal(ssh={"port": "x"}), "spec.ssh.port"),
        (minimal(ssh=["x"]), "spec.ssh"),
        (minimal(env={"a": "b"}), "spec.env"),
        (minimal(env=["registryPort=x"]), "spec.env"),
        (minimal() + "---\nkind: Config\nmetadata: {name: c}\nspec: {data: x}\n", "Config c: spec.path"),
        (minimal() + "---\nkind: Config\nspec: {path: p, data: x, strategy: shallow}\n", "Config 1: spec.strategy"),
        (minimal() + "---\nkind: Config\nspec: {path: p, data: x, match: y}\n", "Config 1: spec.match"),
        (minimal() + "---\nkind: ClusterConfiguration\netcd: {external: {endpoints: [x]}}\n", "Clusterfile.cluster.etcd.external"),
        (minimal() + "---\nkind: ClusterConfiguration\ncontrolPlaneEndpoint: x\n", "Clusterfile.cluster.controlPlaneEndpoint"),
        (minimal() + "---\nkind: ClusterConfiguration\napiVersion: kubeadm.k8s.io/v1beta2\n", "Clusterfile.cluster.apiVersion"),
        (minimal() + "---\nkind: ClusterConfiguration\ncertificateValidityPeriod: x\n", "Clusterfile.cluster.certificateValidityPeriod"),
        (minimal() + "---\nkind: KubeProxyConfiguration\nmode: userspace\n", "Clusterfile.kubeProxy.mode"),
        (minimal() + "---\nkind: InitConfiguration\n---\nkind: InitConfiguration\n", "Clusterfile"),
    ],
)
def test_what_cannot_be_converted_is_named(text, field):
    with pytest.raises(FieldError) as caught:
        parse_clusterfile(text)
    assert caught.value.field == field


def test_subtracting_defaults():
    document = {"a": {"b": 1, "c": [1, 2]}, "d": False, "e": {}, "taints": [], "n": None}
    assert without(document, {"a": {"b": 1, "c": [1]}, "d": False}) == {"a": {"c": [2]}, "taints": [], "n": None}
