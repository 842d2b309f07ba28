"""What neither schema nor CEL can say."""

from typing import Any

import pytest

from labkit.manifests import manifest
from sealcluster.api import Reason, SealClusterSpec, made_from, parse, validate, validate_change, validate_rootfs


def spec(over: dict[str, Any] | None = None) -> SealClusterSpec:
    return parse(manifest(over or {})).spec


def host(name: str, address: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "address": address, "roles": ["master"], **more}


BAD = [
    ("address twice", {"hosts": [host("a", "10.0.0.1"), host("b", "10.0.0.1")]}, "spec.hosts[1].address", "also the address of host a"),
    ("node address twice", {"hosts": [host("a", "10.0.0.1"), host("b", "10.0.0.2", nodeIP="10.0.0.1")]}, "spec.hosts[1].nodeIP", "host a"),
    ("host among the pods", {"hosts": [host("a", "100.64.0.1")]}, "spec.hosts[0].address", "inside spec.network.podSubnet"),
    ("host among the services", {"hosts": [host("a", "10.96.0.1")]}, "spec.hosts[0].address", "inside spec.network.serviceSubnet"),
    ("host is the VIP", {"hosts": [host("a", "10.103.97.2")]}, "spec.hosts[0].address", "also spec.endpoint.vip"),
    ("name of a variable", {"env": {"A-B": "x"}}, "spec.env[A-B]", "not the name of an environment variable"),
    ("name of a host's variable", {"hosts": [host("a", "10.0.0.1", env={"1A": "x"})]}, "spec.hosts[0].env[1A]", "not the name"),
    ("password of the registry", {"env": {"registryPassword": "x"}}, "spec.env[registryPassword]", "is generated"),
    ("private key in env", {"env": {"K": "-----BEGIN OPENSSH PRIVATE KEY-----"}}, "spec.env[K]", "holds a private key"),
    ("NUL in env", {"env": {"K": "a\x00b"}}, "spec.env[K]", "NUL"),
    ("private key in a config", {"configs": [{"path": "a", "data": "-----BEGIN PRIVATE KEY-----"}]}, "spec.configs[0].data", "private key"),
    ("config for no image", {"configs": [{"path": "a", "match": "cni", "data": ""}]}, "spec.configs[0].match", "want one of kubernetes"),
    ("k3s", {"images": [{"name": "k3s", "ref": "docker.io/labring/k3s:v1.29.0"}]}, "spec.images[0].ref", "k3s images are not supported"),
    ("key of a label", {"hosts": [host("a", "10.0.0.1", labels={"a b": "c"})]}, "spec.hosts[0].labels[a b]", "not the key of a label"),
    ("value of a label", {"hosts": [host("a", "10.0.0.1", labels={"a": "b c"})]}, "spec.hosts[0].labels[a]", "not the value of a label"),
    ("label of Kubernetes", {"hosts": [host("a", "10.0.0.1", labels={"kubernetes.io/hostname": "b"})]},
     "spec.hosts[0].labels[kubernetes.io/hostname]", "by Kubernetes"),
    ("key of a taint", {"hosts": [host("a", "10.0.0.1", taints=[{"key": "-", "effect": "NoSchedule"}])]}, "spec.hosts[0].taints[0].key", "not the key"),
    ("taint twice", {"hosts": [host("a", "10.0.0.1", taints=[{"key": "k", "effect": "NoSchedule"}] * 2)]}, "spec.hosts[0].taints[1]", "twice"),
    ("services too many", {"network": {"serviceSubnet": "10.64.0.0/11"}, "endpoint": {"vip": "192.168.0.1"}},
     "spec.network.serviceSubnet", "between /12 and /28"),
    ("services too few", {"network": {"serviceSubnet": "10.96.0.0/29"}}, "spec.network.serviceSubnet", "between /12 and /28"),
    ("pods too few", {"network": {"podSubnet": "100.64.0.0/24"}}, "spec.network.podSubnet", "room for 1 nodes"),
    ("one name for two", {"registry": {"domain": "apiserver.cluster.local"}}, "spec.registry.domain", "different names"),
    ("one port for two", {"registry": {"port": 6443}}, "spec.registry.port", "different ports"),
    ("nobody's balancer", {"endpoint": {"loadBalancer": "External"}}, "spec.endpoint.vip", "address of your load balancer"),
    ("leaf outlives its authority", {"certificates": {"validity": "11y", "caValidity": "10y"}}, "spec.certificates.validity", "outlive"),
    ("bootstrap tokens", {"kubeadm": {"init": {"bootstrapTokens": [{"token": "a"}]}}}, "spec.kubeadm.init.bootstrapTokens", "made for each cluster"),
    ("certificate key", {"kubeadm": {"init": {"certificateKey": "f" * 64}}}, "spec.kubeadm.init.certificateKey", "made for each cluster"),
    ("discovery", {"kubeadm": {"join": {"discovery": {"timeout": "5m"}}}}, "spec.kubeadm.join.discovery", "made for each join"),
    ("private key inside", {"kubeadm": {"kubelet": {"x": ["-----BEGIN RSA PRIVATE KEY-----"]}}}, "spec.kubeadm.kubelet.x[0]", "holds a private key"),
    ("external etcd", {"kubeadm": {"cluster": {"etcd": {"external": {}}}}}, "spec.kubeadm.cluster.etcd.external", "external etcd is not supported"),
    ("version", {"kubeadm": {"cluster": {"kubernetesVersion": "v1.30.0"}}}, "spec.kubeadm.cluster.kubernetesVersion", "root file system image"),
    ("network elsewhere", {"kubeadm": {"cluster": {"networking": {}}}}, "spec.kubeadm.cluster.networking", "is spec.network"),
    ("proxy mode elsewhere", {"kubeadm": {"kubeProxy": {"mode": "ipvs"}}}, "spec.kubeadm.kubeProxy.mode", "spec.network.proxyMode"),
    ("kind", {"kubeadm": {"kubelet": {"kind": "Kubelet"}}}, "spec.kubeadm.kubelet.kind", "must be KubeletConfiguration"),
    ("old API", {"kubeadm": {"cluster": {"apiVersion": "kubeadm.k8s.io/v1beta2"}}}, "spec.kubeadm.cluster.apiVersion", "v1beta3 or kubeadm.k8s.io/v1beta4"),
    ("dual stack", {"kubeadm": {"init": {"nodeRegistration": {"kubeletExtraArgs": {"node-ip": "10.0.0.1,fd00::1"}}}}},
     "spec.kubeadm.init.nodeRegistration.kubeletExtraArgs.node-ip", "dual stack"),
    ("dual stack gate", {"kubeadm": {"cluster": {"featureGates": {"IPv6DualStack": True}}}}, "spec.kubeadm.cluster.featureGates.IPv6DualStack", "dual stack"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "over", "field", "says"), BAD, ids=[row[0] for row in BAD])
def test_what_is_wrong_is_named(name: str, over: dict[str, Any], field: str, says: str) -> None:
    (error,) = validate(spec(over))
    assert error.field == field
    assert says in error.message
    assert error.reason is (Reason.DUPLICATE_ADDRESS if "twice" in name and "address" in name else Reason.INVALID_SPEC)


def test_secrets_are_not_repeated() -> None:
    canary = "-----BEGIN PRIVATE KEY----- canary"
    errors = validate(spec({"env": {"K": canary}, "kubeadm": {"init": {"certificateKey": "canary"}}}))
    assert len(errors) == 2
    assert "canary" not in str(errors)


@pytest.mark.parametrize(
    "over",
    [
        {"hosts": [host("a", "10.0.0.1", nodeIP="10.0.0.1")]},
        {"hosts": [host("a", "10.103.97.2")], "endpoint": {"loadBalancer": "External", "vip": "10.103.97.3"}},
        {"network": {"podSubnet": "100.64.0.0/24"}, "kubeadm": {"cluster": {"controllerManager": {"extraArgs": {"node-cidr-mask-size": "26"}}}}},
        {"kubeadm": {"cluster": {"apiServer": {"extraArgs": {"token-auth-file": "/etc/tokens"}}, "etcd": {"local": {"dataDir": "/data"}}}}},
        {"kubeadm": {"kubelet": {"tlsPrivateKeyFile": "/etc/key", "tlsCipherSuites": ["A", "B"]}}},
        {"hosts": [host("a", "10.0.0.1", labels={"example.com/a": "", "b": "c.d_e-f"}, taints=[{"key": "example.com/x", "effect": "NoExecute"}])]},
        {"images": [{"name": "k", "ref": "oci-archive:k3s.tar"}]},
    ],
)  # fmt: skip
def test_what_is_fine_is_not_refused(over: dict[str, Any]) -> None:
    assert validate(spec(over)) == []


def test_built_in_fields_cannot_be_changed() -> None:
    old = spec()
    new = spec(
        {"network": {"podSubnet": "100.65.0.0/16"}, "endpoint": {"port": 7443}, "certificates": {"caValidity": "50y"}, "paused": True}
    )
    errors = validate_change(made_from(old), new)
    assert [error.field for error in errors] == ["spec.network.podSubnet", "spec.endpoint.port", "spec.certificates.caValidity"]
    assert {error.reason for error in errors} == {Reason.IMMUTABLE_FIELD}
    assert "from 100.64.0.0/10 to 100.65.0.0/16" in errors[0].message
    assert validate_change(made_from(old), spec({"deletionPolicy": "Reset", "certificates": {"extraSANs": ["a.example"]}})) == []


def test_kubeadm_documents_of_a_running_cluster_cannot_be_changed_except_for_joins() -> None:
    old, new = spec(), spec({"kubeadm": {"kubelet": {"maxPods": 9}, "join": {"nodeRegistration": {}}}})
    assert [error.field for error in validate_change(made_from(old), new)] == ["spec.kubeadm.kubelet"]


def test_another_root_file_system_on_a_running_cluster_is_refused() -> None:
    wish = spec({"images": [{"name": "cni", "ref": "r.example/cni:1"}, {"name": "kubernetes", "ref": "r.example/kubernetes:v1.35.0"}]})
    (error,) = validate_rootfs(wish, "kubernetes", "sha256:old", "sha256:new")
    assert error.field == "spec.images[1].ref"
    assert error.reason is Reason.UPGRADE_NOT_SUPPORTED
    assert validate_rootfs(wish, "kubernetes", "", "sha256:new") == []
    assert validate_rootfs(wish, "kubernetes", "sha256:new", "sha256:new") == []


def test_a_field_that_an_earlier_release_did_not_fix_may_have_any_value() -> None:
    made = {path: text for path, text in made_from(spec()).items() if path != "spec.endpoint.vip"}
    assert validate_change(made, spec({"endpoint": {"vip": "10.103.97.3"}})) == []


def test_a_document_is_the_same_when_an_api_server_has_had_it() -> None:
    written, given_back = {"kubelet": {"a": 1.0, "b": None, "c": [2.5, True]}}, {"kubelet": {"c": [2.5, True], "a": 1}}
    assert made_from(spec({"kubeadm": written})) == made_from(spec({"kubeadm": given_back}))


def test_what_a_cluster_was_made_from_tells_nothing_of_its_documents() -> None:
    assert "canary" not in str(made_from(spec({"kubeadm": {"cluster": {"a": "canary"}}})))
