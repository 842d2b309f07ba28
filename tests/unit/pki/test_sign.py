"""Signing: our policy is what the certificate says, whatever the request says."""

import ipaddress
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store

from sealcluster.core.errors import TerminalError
from sealcluster.pki.authority import create_authority
from sealcluster.pki.client import admin_leaf, create_client, operator_leaf
from sealcluster.pki.inspection import problems, read_certificate
from sealcluster.pki.keys import KeyAlgorithm, load_key
from sealcluster.pki.leaves import LeafSpec
from sealcluster.pki.sign import sign

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
YEARS = timedelta(days=3650)
LEAF = LeafSpec("apiserver", "ca", "kube-apiserver", ("group",), ("server",), ("m1", "*.example.org"), ("10.0.0.11", "::1"))


@pytest.fixture(scope="module")
def ca():
    return create_authority("ca", "kubernetes", timedelta(days=36500), NOW, KeyAlgorithm.ECDSA_P256)


def request(key=None, name="evil", sans=("evil.example",), ca=True) -> str:
    key = key or ec.generate_private_key(ec.SECP256R1())
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:masters"), x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(san) for san in sans]), critical=False)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(key, algorithm)
        .public_bytes(Encoding.PEM)
        .decode()
    )


def test_the_request_brings_nothing_but_its_key(ca):
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = x509.load_pem_x509_certificate(sign(request(key), LEAF, ca, YEARS, NOW).encode())
    assert certificate.public_key() == key.public_key()
    assert certificate.subject.rfc4514_string() == "CN=kube-apiserver,O=group"
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["m1", "*.example.org"]
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("10.0.0.11"), ipaddress.ip_address("::1")]
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical and not constraints.value.ca
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical and usage.value.digital_signature and not usage.value.key_cert_sign
    purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_an_independent_verifier_accepts_it_and_only_under_its_ca(ca):
    certificate = x509.load_pem_x509_certificate(sign(request(), LEAF, ca, YEARS, NOW).encode())
    verify = PolicyBuilder().store(Store([ca.certificate])).time(NOW).build_server_verifier(x509.DNSName("m1")).verify
    assert verify(certificate, []) == [certificate, ca.certificate]
    other = create_authority("ca", "kubernetes", YEARS, NOW, KeyAlgorithm.ECDSA_P256)
    strange = PolicyBuilder().store(Store([other.certificate])).time(NOW).build_server_verifier(x509.DNSName("m1"))
    with pytest.raises(x509.verification.VerificationError):
        strange.verify(certificate, [])


@pytest.mark.parametrize("algorithm", list(KeyAlgorithm))
def test_openssl_accepts_it_strictly(tmp_path, algorithm):
    now = datetime.now(UTC)
    authority = create_authority("ca", "kubernetes", timedelta(days=36500), now, algorithm)
    rsa_key = rsa.generate_private_key(65537, 2048)
    (tmp_path / "ca.pem").write_text(authority.certificate_pem)
    (tmp_path / "leaf.pem").write_text(sign(request(rsa_key), LEAF, authority, YEARS, now))
    command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "m1", "-CAfile", "ca.pem", "leaf.pem"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "leaf.pem: OK"), done.stderr


def test_validity_is_as_declared_and_backdated(ca):
    facts = read_certificate(sign(request(), LEAF, ca, YEARS, NOW), "x")
    assert facts.not_before == NOW - timedelta(minutes=5)
    assert facts.not_after == NOW + YEARS
    assert facts.expires_within(YEARS + timedelta(seconds=1), NOW) and not facts.expires_within(YEARS, NOW)


def test_a_leaf_never_outlives_its_ca():
    short = create_authority("ca", "kubernetes", timedelta(days=30), NOW, KeyAlgorithm.ECDSA_P256)
    facts = read_certificate(sign(request(), LEAF, short, YEARS, NOW + timedelta(days=10)), "x")
    assert facts.not_after == NOW + timedelta(days=30)


def test_an_expired_ca_signs_nothing():
    short = create_authority("ca", "kubernetes", timedelta(days=30), NOW, KeyAlgorithm.ECDSA_P256)
    with pytest.raises(TerminalError, match="expired at 2026-03-31") as caught:
        sign(request(), LEAF, short, YEARS, NOW + timedelta(days=30))
    assert caught.value.reason == "PKIExpired"


def test_a_clock_behind_the_cas_start_does_not_backdate_beyond_it(ca):
    facts = read_certificate(sign(request(), LEAF, ca, YEARS, NOW - timedelta(minutes=3)), "x")
    assert facts.not_before == NOW - timedelta(minutes=5)


def test_serials_differ(ca):
    text = request()
    serials = {read_certificate(sign(text, LEAF, ca, YEARS, NOW), "x").serial for _ in range(8)}
    assert len(serials) == 8 and all(0 < serial < 2**159 for serial in serials)


def test_a_request_signed_with_another_key_is_refused(ca):
    der = bytearray(x509.load_pem_x509_csr(request().encode()).public_bytes(Encoding.DER))
    der[-1] ^= 1
    forged = x509.load_der_x509_csr(bytes(der)).public_bytes(Encoding.PEM).decode()
    with pytest.raises(TerminalError, match="apiserver: the request's own signature is wrong"):
        sign(forged, LEAF, ca, YEARS, NOW)


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        (lambda: rsa.generate_private_key(65537, 1024), "1024 bits"),
        (ed25519.Ed25519PrivateKey.generate, "another kind"),
        (lambda: ec.generate_private_key(ec.SECP192R1()), "secp192r1"),
    ],
)
def test_weak_and_foreign_keys_are_refused(ca, key, complaint):
    with pytest.raises(TerminalError, match=rf"request for apiserver: it is .*{complaint}"):
        sign(request(key()), LEAF, ca, YEARS, NOW)


@pytest.mark.parametrize("text", ["", "nonsense", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"])
def test_what_is_no_request_is_refused(ca, text):
    with pytest.raises(TerminalError, match="did not send a certificate signing request"):
        sign(text, LEAF, ca, YEARS, NOW)


def test_the_wrong_ca_is_refused(ca):
    with pytest.raises(TerminalError, match="belongs to the CA 'etcd'"):
        sign(request(), LeafSpec("etcd/peer", "etcd", "m1"), ca, YEARS, NOW)


def bare_request(name: str) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return request.public_bytes(Encoding.PEM).decode()


def test_a_request_may_ask_for_less_where_the_policy_says_so(ca):
    """kubeadm's patch releases differ in whether the API server's kubelet client is in a group."""
    optional = LeafSpec("apiserver-kubelet-client", "ca", "kube-apiserver-kubelet-client", ("admins",), groups_optional=True)
    strict = LeafSpec("apiserver-kubelet-client", "ca", "kube-apiserver-kubelet-client", ("admins",))
    without = sign(bare_request("kube-apiserver-kubelet-client"), optional, ca, YEARS, NOW)
    assert read_certificate(without, "x").organizations == ()
    assert problems(without, optional, ca, NOW) == ()
    assert len(problems(without, strict, ca, NOW)) == 1
    for leaf, text in ((optional, bare_request("other")), (optional, request()), (strict, bare_request("kube-apiserver-kubelet-client"))):
        pem = sign(text, leaf, ca, YEARS, NOW)
        assert read_certificate(pem, "x").organizations == ("admins",)
        assert problems(pem, leaf, ca, NOW) == ()


def test_nothing_is_wrong_with_what_was_just_signed(ca):
    assert problems(sign(request(), LEAF, ca, YEARS, NOW), LEAF, ca, NOW) == ()


@pytest.mark.parametrize(
    ("wanted", "complaint"),
    [
        (LeafSpec("apiserver", "ca", "other", ("group",), ("server",)), "issued to 'kube-apiserver'"),
        (LeafSpec("apiserver", "ca", "kube-apiserver", (), ("server",)), "groups"),
        (LeafSpec("apiserver", "ca", "kube-apiserver", ("group",), ("server",), ("m2",), ("10.9.9.9",)), "lacks the names m2, 10.9.9.9"),
        (LeafSpec("apiserver", "ca", "kube-apiserver", ("group",), ("server", "client")), "is for server, not server, client"),
    ],
)
def test_what_differs_from_the_policy_is_named(ca, wanted, complaint):
    (problem,) = problems(sign(request(), LEAF, ca, YEARS, NOW), wanted, ca, NOW)
    assert complaint in problem


def test_expiry_a_foreign_ca_and_rubbish_are_problems(ca):
    pem = sign(request(), LEAF, ca, YEARS, NOW)
    assert problems(pem, LEAF, ca, NOW + YEARS) == ("apiserver expired at 2036-02-27T12:00:00+00:00",)
    other = create_authority("ca", "kubernetes", YEARS, NOW, KeyAlgorithm.ECDSA_P256)
    assert problems(pem, LEAF, other, NOW) == ("apiserver is not signed by the cluster's CA 'ca'",)
    assert problems("rubbish", LEAF, ca, NOW) == ("reading the certificate apiserver: it is not PEM",)


@pytest.mark.parametrize(
    ("leaf", "user", "groups"),
    [
        (admin_leaf(28), "kubernetes-admin", ("system:masters",)),
        (admin_leaf(29), "kubernetes-admin", ("kubeadm:cluster-admins",)),
        (operator_leaf(), "sealcluster-operator", ("system:masters",)),
    ],
)
def test_our_own_client_certificates(ca, leaf, user, groups):
    client = create_client(leaf, ca, YEARS, NOW)
    facts = read_certificate(client.certificate, "x")
    assert (facts.common_name, facts.organizations, facts.usages) == (user, groups, ("client",))
    certificate = x509.load_pem_x509_certificate(client.certificate.encode())
    assert load_key(client.key, "x").public_key() == certificate.public_key()
    assert "PRIVATE" not in repr(client)
