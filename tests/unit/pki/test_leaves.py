"""The policy: which certificates a master has, whom they name."""

import pytest

from sealcluster.core.errors import TerminalError
from sealcluster.core.ports import NodeIdentity
from sealcluster.pki.leaves import ClusterIdentity, expected_certificates, service_address

CLUSTER = ClusterIdentity("apiserver.cluster.local", "10.96.0.0/22", "cluster.local")
FIRST = NodeIdentity("m1", "10.0.0.11", sans=("127.0.0.1", "apiserver.cluster.local", "10.103.97.2", "10.0.0.11"), first=True)
SECOND = NodeIdentity("m2", "10.0.0.12", sans=("127.0.0.1",))


def by_name(node, minor):
    return {leaf.name: leaf for leaf in expected_certificates(node, CLUSTER, minor)}


def test_the_first_master_before_v129():
    leaves = by_name(FIRST, 28)
    subjects = {name: (leaf.ca, leaf.common_name, leaf.organizations, leaf.usages) for name, leaf in leaves.items()}
    client, both = ("client",), ("server", "client")
    assert subjects == {
        "apiserver": ("ca", "kube-apiserver", (), ("server",)),
        "apiserver-kubelet-client": ("ca", "kube-apiserver-kubelet-client", ("system:masters",), client),
        "front-proxy-client": ("proxy", "front-proxy-client", (), client),
        "etcd/server": ("etcd", "m1", (), both),
        "etcd/peer": ("etcd", "m1", (), both),
        "etcd/healthcheck-client": ("etcd", "kube-etcd-healthcheck-client", ("system:masters",), client),
        "apiserver-etcd-client": ("etcd", "kube-apiserver-etcd-client", ("system:masters",), client),
        "admin.conf": ("ca", "kubernetes-admin", ("system:masters",), client),
        "controller-manager.conf": ("ca", "system:kube-controller-manager", (), client),
        "scheduler.conf": ("ca", "system:kube-scheduler", (), client),
        "kubelet.conf": ("ca", "system:node:m1", ("system:nodes",), client),
    }


def test_since_v129_only_super_admin_is_beyond_rbac():
    leaves = by_name(FIRST, 29)
    assert leaves["admin.conf"].organizations == ("kubeadm:cluster-admins",)
    assert leaves["apiserver-kubelet-client"].organizations == ("kubeadm:cluster-admins",)
    assert leaves["etcd/healthcheck-client"].organizations == leaves["apiserver-etcd-client"].organizations == ()
    assert leaves["super-admin.conf"].common_name == "kubernetes-super-admin"
    assert [name for name, leaf in leaves.items() if "system:masters" in leaf.organizations] == ["super-admin.conf"]


@pytest.mark.parametrize("minor", [23, 28, 29, 37])
def test_a_joining_master_gets_its_kubelet_conf_by_bootstrap(minor):
    assert set(by_name(FIRST, minor)) - set(by_name(SECOND, minor)) == {"kubelet.conf"} | ({"super-admin.conf"} if minor >= 29 else set())


def test_the_api_servers_names_each_once():
    leaf = by_name(FIRST, 34)["apiserver"]
    assert leaf.dns_names == (
        "m1",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
        "apiserver.cluster.local",
    )
    assert leaf.addresses == ("10.96.0.1", "10.0.0.11", "127.0.0.1", "10.103.97.2")


def test_etcds_names():
    cluster = ClusterIdentity("e", etcd_server_sans=("etcd.example", "192.0.2.1"), etcd_peer_sans=("10.0.0.12",))
    leaves = {leaf.name: leaf for leaf in expected_certificates(SECOND, cluster, 34)}
    assert leaves["etcd/server"].dns_names == ("m2", "localhost", "etcd.example")
    assert leaves["etcd/server"].addresses == ("10.0.0.12", "127.0.0.1", "::1", "192.0.2.1")
    assert leaves["etcd/peer"].addresses == ("10.0.0.12", "127.0.0.1", "::1")


def test_an_address_as_endpoint_and_a_wildcard_as_name():
    node = NodeIdentity("m1", "10.0.0.11", sans=("*.example.org", "fd00::1"))
    leaf = expected_certificates(node, ClusterIdentity("192.0.2.10"), 34)[0]
    assert "192.0.2.10" in leaf.addresses and "fd00::1" in leaf.addresses and "*.example.org" in leaf.dns_names


@pytest.mark.parametrize("name", ["Upper.example", "under_score", "a..b", "", "-x", "10.0.0.0/8", "*"])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(TerminalError, match="neither an IP address nor a lower-case DNS name"):
        expected_certificates(NodeIdentity("m1", "10.0.0.11", sans=(name,)), CLUSTER, 34)


def test_a_name_too_long_for_x509_is_refused_with_the_limit():
    node = NodeIdentity("m" * 53, "10.0.0.11", first=True)
    with pytest.raises(TerminalError, match=r"kubelet.conf.*64 characters") as caught:
        expected_certificates(node, CLUSTER, 34)
    assert "52" in caught.value.hint
    assert expected_certificates(NodeIdentity("m" * 52, "10.0.0.11", first=True), CLUSTER, 34)


def test_paths_are_kubeadms():
    leaves = by_name(FIRST, 34)
    assert (leaves["etcd/peer"].path, leaves["etcd/peer"].csr_path) == ("pki/etcd/peer.crt", "pki/etcd/peer.csr")
    assert (leaves["admin.conf"].path, leaves["admin.conf"].csr_path) == ("admin.conf", "admin.conf.csr")
    assert leaves["admin.conf"].is_kubeconfig and not leaves["apiserver"].is_kubeconfig


@pytest.mark.parametrize(("subnet", "first"), [("10.96.0.0/22", "10.96.0.1"), ("fd00:10:96::/112", "fd00:10:96::1")])
def test_the_kubernetes_service_has_the_first_address(subnet, first):
    assert service_address(subnet) == first
