"""CAs: what they say, what is accepted as one, what never shows."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from sealcluster.core.errors import TerminalError
from sealcluster.pki.authority import create_authority, load_authority
from sealcluster.pki.bundle import ClusterPKI, authority_files, create_pki, load_pki
from sealcluster.pki.keys import KeyAlgorithm, accept_public_key, load_key

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CENTURY = timedelta(days=36500)


@pytest.fixture(scope="module")
def pki() -> ClusterPKI:
    return create_pki(NOW, CENTURY)


def extension(certificate, kind):
    return certificate.extensions.get_extension_for_class(kind)


def test_a_ca_carries_what_strict_verifiers_want(pki):
    certificate = pki.ca.certificate
    assert certificate.subject.rfc4514_string() == certificate.issuer.rfc4514_string() == "CN=kubernetes"
    constraints = extension(certificate, x509.BasicConstraints)
    assert constraints.critical and constraints.value.ca
    usage = extension(certificate, x509.KeyUsage)
    assert usage.critical and usage.value.key_cert_sign and usage.value.digital_signature
    own = extension(certificate, x509.SubjectKeyIdentifier).value
    assert extension(certificate, x509.AuthorityKeyIdentifier).value.key_identifier == own.digest
    assert certificate.not_valid_before_utc == NOW - timedelta(minutes=5)
    assert certificate.not_valid_after_utc == NOW + CENTURY


def test_the_three_cas_have_kubeadms_names_and_keys_of_their_own(pki):
    authorities = (pki.ca, pki.etcd, pki.proxy)
    names = [a.certificate.subject.rfc4514_string() for a in authorities]
    assert names == ["CN=kubernetes", "CN=etcd-ca", "CN=front-proxy-ca"]
    assert len({a.discovery_hash for a in authorities}) == 3
    assert len({a.certificate.serial_number for a in authorities}) == 3
    assert pki.sa.key_size == 2048


def test_what_is_kept_can_be_read_back(pki):
    again = load_pki(pki.pairs())
    assert again.pairs() == pki.pairs()
    assert again.ca.discovery_hash == pki.ca.discovery_hash
    assert pki.pairs()["sa"][0].startswith("-----BEGIN PUBLIC KEY-----")


def test_an_ecdsa_ca_works_the_same():
    authority = create_authority("ca", "kubernetes", CENTURY, NOW, KeyAlgorithm.ECDSA_P256)
    again = load_authority("ca", authority.certificate_pem.encode(), authority.key_pem)
    assert isinstance(again.key, ec.EllipticCurvePrivateKey)
    assert again.discovery_hash == authority.discovery_hash


def test_masters_get_kubeadms_files_with_keys_closed_to_others(pki):
    files = {file.path: file for file in authority_files(pki.pairs())}
    assert sorted(path.removeprefix("/etc/kubernetes/pki/") for path in files) == [
        "ca.crt",
        "ca.key",
        "etcd/ca.crt",
        "etcd/ca.key",
        "front-proxy-ca.crt",
        "front-proxy-ca.key",
        "sa.key",
        "sa.pub",
    ]
    assert {path[-3:]: file.mode for path, file in files.items()} == {"crt": 0o644, "key": 0o600, "pub": 0o644}
    assert files["/etc/kubernetes/pki/etcd/ca.crt"].content == pki.etcd.certificate_pem.encode()


def test_keys_never_show_in_repr(pki):
    body = "".join(pki.pairs()["ca"][1].splitlines()[1:-1])
    for shown in (repr(pki), repr(pki.ca), repr(authority_files(pki.pairs()))):
        assert body[:40] not in shown
        assert "PRIVATE" not in shown


@pytest.mark.parametrize("absent", ["ca", "etcd", "proxy", "sa"])
def test_a_missing_pair_is_named_and_nothing_is_made_instead(pki, absent):
    pairs = {name: pair for name, pair in pki.pairs().items() if name != absent}
    with pytest.raises(TerminalError, match=f"missing: {absent}$") as caught:
        load_pki(pairs)
    assert caught.value.reason == "PKIMissing"
    assert "backup" in caught.value.hint


def test_half_a_pair_is_missing_too(pki):
    with pytest.raises(TerminalError, match="missing: etcd, sa"):
        load_pki({**pki.pairs(), "etcd": (pki.pairs()["etcd"][0], ""), "sa": ("", pki.pairs()["sa"][1])})


def test_a_key_of_another_ca_is_refused(pki):
    with pytest.raises(TerminalError, match=r"'ca': tls.key is not the key of tls.crt"):
        load_authority("ca", pki.ca.certificate_pem.encode(), pki.etcd.key_pem)


def test_a_leaf_is_no_ca(pki):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "leaf")])
    leaf = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + CENTURY)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, x509.base.hashes.SHA256())
    )
    with pytest.raises(TerminalError, match="not a CA"):
        load_authority("ca", leaf.public_bytes(Encoding.PEM), pki.ca.key_pem)


@pytest.mark.parametrize("text", [b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_is_refused(pki, text):
    with pytest.raises(TerminalError, match="not a PEM CA certificate"):
        load_authority("ca", text, pki.ca.key_pem)


def test_a_broken_key_is_refused_without_quoting_it():
    canary = b"-----BEGIN RSA PRIVATE KEY-----\nQ0FOQVJZQ0FOQVJZ\n-----END RSA PRIVATE KEY-----\n"
    with pytest.raises(TerminalError, match="not an unencrypted PEM private key") as caught:
        load_key(canary, "the CA 'ca'")
    assert "Q0FOQVJZ" not in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        (lambda: rsa.generate_private_key(65537, 1024), "RSA key of 1024 bits"),
        (lambda: rsa.generate_private_key(3, 2048), "public exponent 3"),
        (lambda: ec.generate_private_key(ec.SECP256K1()), "secp256k1"),
    ],
)
def test_weak_keys_are_refused(key, complaint):
    with pytest.raises(TerminalError, match=complaint):
        accept_public_key(key().public_key(), "a request")
