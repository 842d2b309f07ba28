"""Every value that cannot be used is named by its path, before a host is touched."""

import pytest

from sealcluster.core.errors import TerminalError
from sealcluster.render.kubeadm import init_documents, parse_documents, render_join
from sealcluster.render.kubeadm_component import choose_proxy_mode
from sealcluster.render.kubeadm_inputs import FieldError, KubeadmDocuments, NodeInputs, kubernetes_minor
from unit.render.kubeadm_cases import DISCOVERY, cluster

NODE = NodeInputs("m1", "10.0.0.11")
V3, V4 = "kubeadm.k8s.io/v1beta3", "kubeadm.k8s.io/v1beta4"


def refused(minor, **documents):
    inputs = cluster(minor, user_documents=KubeadmDocuments(**documents))
    with pytest.raises(FieldError) as caught:
        init_documents(inputs, NODE)
        render_join(inputs, NODE, DISCOVERY, master=True)
    assert isinstance(caught.value, TerminalError) and caught.value.reason == "InvalidSpec"
    assert str(caught.value).startswith(caught.value.field + ": ")
    return caught.value.field.removeprefix("spec.kubeadm."), str(caught.value)


@pytest.mark.parametrize(
    ("documents", "field"),
    [
        ({"cluster": {"apiSever": {}}}, "cluster.apiSever"),
        ({"cluster": {"apiServer": {"extraArg": {}}}}, "cluster.apiServer.extraArg"),
        ({"cluster": {"apiServer": "x"}}, "cluster.apiServer"),
        ({"cluster": {"apiServer": {"certSANs": "x"}}}, "cluster.apiServer.certSANs"),
        ({"cluster": {"imageRepository": ["x"]}}, "cluster.imageRepository"),
        ({"cluster": {"apiServer": {"extraArgs": "x"}}}, "cluster.apiServer.extraArgs"),
        ({"cluster": {"apiServer": {"extraArgs": {"v": [1]}}}}, "cluster.apiServer.extraArgs.v"),
        ({"cluster": {"apiServer": {"extraArgs": [{"name": "v"}]}}}, "cluster.apiServer.extraArgs"),
        ({"cluster": {"apiVersion": V4, "apiServer": {"extraArgs": {"v": "1"}}}}, "cluster.apiServer.extraArgs"),
        ({"cluster": {"apiVersion": V3, "apiServer": {"extraArgs": [{"name": "v", "value": "1"}]}}}, "cluster.apiServer.extraArgs"),
        ({"cluster": {"apiVersion": "kubeadm.k8s.io/v1beta2"}}, "cluster.apiVersion"),
        ({"cluster": {"kind": "InitConfiguration"}}, "cluster.kind"),
        ({"cluster": {"apiVersion": V3, "proxy": {"disabled": True}}}, "cluster.proxy.disabled"),
        ({"cluster": {"apiVersion": V4, "apiServer": {"timeoutForControlPlane": "1m"}}}, "cluster.apiServer.timeoutForControlPlane"),
        ({"join": {"apiVersion": V4, "discovery": {"timeout": "1m"}}}, "join.discovery.timeout"),
        ({"kubelet": {"kind": "KubeProxyConfiguration"}}, "kubelet.kind"),
        ({"kubelet": {"apiVersion": "kubelet.config.k8s.io/v1"}}, "kubelet.apiVersion"),
        ({"kube_proxy": {"apiVersion": "x"}}, "kubeProxy.apiVersion"),
        ({"kubelet": {"featureGates": {"EphemeralContainers": True}}}, "kubelet.featureGates.EphemeralContainers"),
    ],
)
def test_malformed_documents(documents, field):
    assert refused(34, **documents)[0] == field


@pytest.mark.parametrize(
    ("documents", "field"),
    [
        ({"init": {"bootstrapTokens": [{"token": "a.b"}]}}, "init.bootstrapTokens"),
        ({"init": {"certificateKey": "ab" * 32}}, "init.certificateKey"),
        ({"init": {"dryRun": True}}, "init.dryRun"),
        ({"join": {"discovery": {"bootstrapToken": {"token": "a.b"}}}}, "join.discovery.bootstrapToken"),
        ({"join": {"discovery": {"tlsBootstrapToken": "a.b"}}}, "join.discovery.tlsBootstrapToken"),
        ({"join": {"discovery": {"file": {"kubeConfigPath": "/x"}}}}, "join.discovery.file"),
        ({"join": {"controlPlane": {"certificateKey": "ab" * 32}}}, "join.controlPlane.certificateKey"),
        ({"cluster": {"etcd": {"external": {"endpoints": ["https://e:2379"]}}}}, "cluster.etcd.external"),
    ],
)
def test_tokens_keys_and_what_is_not_supported(documents, field):
    found, message = refused(34, **documents)
    assert found == field
    assert "a.b" not in message and "ab" * 32 not in message


@pytest.mark.parametrize(
    ("documents", "field"),
    [
        ({"cluster": {"kubernetesVersion": "v1.33.0"}}, "cluster.kubernetesVersion"),
        ({"cluster": {"controlPlaneEndpoint": "x:1"}}, "cluster.controlPlaneEndpoint"),
        ({"cluster": {"networking": {"podSubnet": "10.0.0.0/8"}}}, "cluster.networking.podSubnet"),
        ({"cluster": {"certificatesDir": "/x"}}, "cluster.certificatesDir"),
        ({"cluster": {"certificateValidityPeriod": "1h"}}, "cluster.certificateValidityPeriod"),
        ({"init": {"localAPIEndpoint": {"advertiseAddress": "10.0.0.99"}}}, "init.localAPIEndpoint.advertiseAddress"),
        ({"init": {"nodeRegistration": {"name": "other"}}}, "init.nodeRegistration.name"),
        ({"init": {"nodeRegistration": {"kubeletExtraArgs": {"node-ip": "1.2.3.4"}}}}, "init.nodeRegistration.kubeletExtraArgs.node-ip"),
        ({"join": {"nodeRegistration": {"criSocket": "unix:///x"}}}, "join.nodeRegistration.criSocket"),
        ({"join": {"controlPlane": {"localAPIEndpoint": {"bindPort": 1}}}}, "join.controlPlane.localAPIEndpoint.bindPort"),
        ({"kube_proxy": {"mode": "iptables"}}, "kubeProxy.mode"),
    ],
)
def test_a_document_may_not_contradict_the_spec(documents, field):
    assert refused(34, **documents)[0] == field


def test_saying_the_same_is_fine():
    same = KubeadmDocuments(cluster={"kubernetesVersion": "v1.34.4", "networking": {"podSubnet": "100.64.0.0/10"}})
    assert init_documents(cluster(34, user_documents=same), NODE) == init_documents(cluster(34), NODE)


@pytest.mark.parametrize(
    ("documents", "field"),
    [
        ({"cluster": {"apiVersion": V4, "proxy": {"disabled": True}}}, "cluster.proxy.disabled"),
        ({"cluster": {"encryptionAlgorithm": "ECDSA-P256"}}, "cluster.encryptionAlgorithm"),
        ({"init": {"timeouts": {"kubeletHealthCheck": "1m"}}}, "init.timeouts.kubeletHealthCheck"),
        ({"init": {"nodeRegistration": {"imagePullSerial": False}}}, "init.nodeRegistration.imagePullSerial"),
        ({"cluster": {"apiServer": {"extraEnvs": [{"name": "A", "value": "b"}]}}}, "cluster.apiServer.extraEnvs"),
        ({"kubelet": {"failCgroupV1": False}}, "kubelet.failCgroupV1"),
    ],
)
def test_what_came_with_v131_is_refused_before_it_and_taken_from_it_on(documents, field):
    found, message = refused(30, **documents)
    assert found == field
    assert "v1.31" in message and "v1.30" in message
    inputs = cluster(31, user_documents=KubeadmDocuments(**documents))
    init_documents(inputs, NODE)


def test_an_images_document_is_named_by_its_file():
    inputs = cluster(34, image_documents=KubeadmDocuments(cluster={"nonsense": 1}))
    with pytest.raises(FieldError, match=r"^etc/kubeadm\.yml\.cluster\.nonsense: no such field"):
        init_documents(inputs, NODE)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: [", r"^etc/kubeadm\.yml: is not YAML in line"),
        ("kind: Deployment", "document 1 is of kind 'Deployment'"),
        ("- 1", "document 1 is of kind None"),
        ("kind: InitConfiguration\n---\nkind: InitConfiguration", "document 2 is the second InitConfiguration"),
    ],
)
def test_an_images_file_that_is_none(text, complaint):
    with pytest.raises(FieldError, match=complaint):
        parse_documents(text)


@pytest.mark.parametrize("version", ["latest", "1.34", "v2.0.0", "v1.22.17", ""])
def test_versions_that_are_none_or_too_old(version):
    with pytest.raises(FieldError, match=r"^kubernetesVersion: "):
        kubernetes_minor(version)


def test_versions_with_suffixes():
    assert [kubernetes_minor(version) for version in ("v1.34.4", "1.23.8", "v1.29.9-sealos.1", "v1.30.0+k8s")] == [34, 23, 29, 30]


def test_an_unknown_proxy_mode():
    with pytest.raises(FieldError, match=r"^spec\.network\.proxyMode: 'userspace'"):
        choose_proxy_mode("userspace", 34, has_ipvs=True)
