"""Certificate authorities: made once per cluster, kept in Secrets, never made again once a cluster is initialised."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from sealcluster.core.errors import TerminalError
from sealcluster.pki.keys import (
    KeyAlgorithm,
    PrivateKey,
    PublicKey,
    accept_public_key,
    generate_key,
    key_pem,
    load_key,
    spki,
)

BACKDATE = timedelta(minutes=5)
"""How far `notBefore` lies before our clock: a host whose clock is a little behind still accepts the certificate."""


@dataclass(frozen=True, slots=True, eq=False)
class Authority:
    """A CA certificate and its private key; parsed once, so signing many leaves does not parse it again."""

    name: str
    """``ca``, ``etcd`` or ``proxy``: the suffix of its Secret; named in errors."""
    certificate: x509.Certificate
    key: PrivateKey = field(repr=False)

    @property
    def certificate_pem(self) -> str:
        """The certificate as PEM text, one block."""
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def key_pem(self) -> bytes:
        """The private key as kubeadm writes it. Secret."""
        return key_pem(self.key)

    @property
    def public_key(self) -> PublicKey:
        """The key that leaves are verified with."""
        return self.key.public_key()

    @property
    def discovery_hash(self) -> str:
        """``sha256:<hex>`` of the SubjectPublicKeyInfo: what `kubeadm join` pins as caCertHashes."""
        return "sha256:" + hashlib.sha256(spki(self.public_key)).hexdigest()


def create_authority(
    name: str,
    common_name: str,
    validity: timedelta,
    now: datetime,
    algorithm: KeyAlgorithm = KeyAlgorithm.RSA_2048,
) -> Authority:
    """A self-signed CA, valid from five minutes before `now` (aware, UTC) until `validity` after it."""
    key = generate_key(algorithm)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(now + validity)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_authority_usage(), critical=True)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        # kubeadm's CAs carry their own name as SAN since Go refuses to match a bare common name
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(common_name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(name, certificate, key)


def load_authority(name: str, certificate: bytes, key: bytes) -> Authority:
    """Read a CA from PEM (the first block of `certificate` counts); refused unless it is a CA and the key is its own."""
    what = f"the CA {name!r}"
    try:
        parsed = x509.load_pem_x509_certificate(certificate)
        constraints = parsed.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (ValueError, x509.ExtensionNotFound):
        raise TerminalError(f"reading {what}: tls.crt is not a PEM CA certificate", reason="PKIInvalid") from None
    if not constraints.ca:
        raise TerminalError(f"reading {what}: tls.crt is a certificate, but not a CA", reason="PKIInvalid")
    private = load_key(key, what)
    if spki(private.public_key()) != spki(accept_public_key(parsed.public_key(), what)):
        raise TerminalError(f"reading {what}: tls.key is not the key of tls.crt", reason="PKIInvalid")
    return Authority(name, parsed, private)


def _authority_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=True,
        key_cert_sign=True,
        crl_sign=False,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
