"""The certificates port, as phases use it."""

import base64
from datetime import UTC, datetime

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from sealcluster.core.errors import TerminalError
from sealcluster.core.ports import CertificatePolicy, Certs, NodeIdentity
from sealcluster.pki.certs import Certificates
from sealcluster.render.kubeconfig import admin_kubeconfig

NOW = datetime(2026, 3, 1, tzinfo=UTC).timestamp()
YEAR = 365 * 86400
POLICY = CertificatePolicy("v1.34.4", "10.96.0.0/22", "cluster.local", 10 * YEAR, 100 * YEAR)
FIRST = NodeIdentity("m1", "10.0.0.11", first=True)
SECOND = NodeIdentity("m2", "10.0.0.12")


@pytest.fixture(scope="module")
def certs() -> Certs:
    return Certificates(lambda: NOW + 0.25, admin_kubeconfig)


@pytest.fixture
async def pki(certs):
    return await certs.create(POLICY)


def csr() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    return request.public_bytes(Encoding.PEM).decode()


async def test_what_is_missing_is_signed_and_then_nothing_is_missing(certs, pki):
    missing = certs.missing(pki, FIRST, POLICY, {}, NOW)
    assert len(missing) == 12
    signed = await certs.sign(pki, FIRST, POLICY, {name: csr() for name in missing}, NOW)
    assert certs.missing(pki, FIRST, POLICY, signed, NOW) == ()
    assert {certs.expiry(pem) for pem in signed.values()} == {NOW + 10 * YEAR}


async def test_only_what_changed_is_missing_again(certs, pki):
    signed = await certs.sign(pki, SECOND, POLICY, {name: csr() for name in certs.missing(pki, SECOND, POLICY, {}, NOW)}, NOW)
    renamed = NodeIdentity("m2", "10.0.0.12", sans=("api.example.org",))
    assert certs.missing(pki, renamed, POLICY, signed, NOW) == ("apiserver",)
    moved = NodeIdentity("m2", "10.0.0.99")
    assert certs.missing(pki, moved, POLICY, signed, NOW) == ("apiserver", "etcd/server", "etcd/peer")
    assert len(certs.missing(pki, SECOND, POLICY, signed, NOW + 10 * YEAR)) == 10


async def test_a_joining_master_gets_neither_kubelet_conf_nor_super_admin(certs, pki):
    requests = {name: csr() for name in ("admin.conf", "kubelet.conf", "super-admin.conf")}
    assert list(await certs.sign(pki, SECOND, POLICY, requests, NOW)) == ["admin.conf"]


async def test_a_strange_request_is_refused(certs, pki):
    with pytest.raises(TerminalError, match=r"signing certificates of m2: a master has no root\.conf") as caught:
        await certs.sign(pki, SECOND, POLICY, {"root.conf": csr()}, NOW)
    assert caught.value.host == "m2"


async def test_two_clusters_share_nothing(certs, pki):
    other = await certs.create(POLICY)
    assert certs.ca_hash(pki) != certs.ca_hash(other)
    assert pki.registry_password != other.registry_password and len(pki.registry_password) >= 32
    assert certs.ca_hash(pki).startswith("sha256:") and len(certs.ca_hash(pki)) == 71


@pytest.mark.parametrize(("address", "server"), [("10.0.0.11", "https://10.0.0.11:6443"), ("fd00::11", "https://[fd00::11]:6443")])
async def test_the_admin_kubeconfig_is_self_contained(certs, pki, address, server):
    text = certs.kubeconfig(pki, "demo", address, 6443, "apiserver.cluster.local", POLICY, NOW)
    document = yaml.safe_load(text)
    (cluster,), (user,) = document["clusters"], document["users"]
    assert cluster["cluster"]["server"] == server
    assert cluster["cluster"]["tls-server-name"] == "apiserver.cluster.local"
    assert base64.b64decode(cluster["cluster"]["certificate-authority-data"]).decode() == pki.ca[0]
    certificate = x509.load_pem_x509_certificate(base64.b64decode(user["user"]["client-certificate-data"]))
    assert certificate.subject.rfc4514_string() == "CN=kubernetes-admin,O=kubeadm:cluster-admins"
    (context,) = document["contexts"]
    assert document["current-context"] == context["name"]
    assert context["context"] == {"cluster": cluster["name"], "user": user["name"]}
