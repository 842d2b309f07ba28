"""Keys and certificates of a management plane, and the kubeconfig of its administrator."""

import base64
import datetime
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFE = datetime.timedelta(days=365)


@dataclass(frozen=True)
class _Pair:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True)
class PlanePki:
    """Files of one plane's PKI, all in one folder that only its owner can read."""

    folder: Path

    @property
    def ca(self) -> Path:
        return self.folder / "ca.crt"

    @property
    def server_certificate(self) -> Path:
        return self.folder / "apiserver.crt"

    @property
    def server_key(self) -> Path:
        return self.folder / "apiserver.key"

    @property
    def admin_certificate(self) -> Path:
        return self.folder / "admin.crt"

    @property
    def admin_key(self) -> Path:
        return self.folder / "admin.key"

    @property
    def service_account_key(self) -> Path:
        """RSA: it signs the tokens of service accounts."""
        return self.folder / "sa.key"

    @classmethod
    def create(cls, folder: Path) -> "PlanePki":
        """Make a new CA, an API server certificate for loopback and an administrator, and write them."""
        folder.mkdir(mode=0o700, parents=True)
        pki = cls(folder)
        ca = _authority()
        server = _leaf(ca, "kube-apiserver", None, ExtendedKeyUsageOID.SERVER_AUTH)
        admin = _leaf(ca, "sealab-admin", "system:masters", ExtendedKeyUsageOID.CLIENT_AUTH)
        write_private(pki.ca, ca.certificate_pem)
        write_private(pki.server_certificate, server.certificate_pem)
        write_private(pki.server_key, _key_pem(server.key))
        write_private(pki.admin_certificate, admin.certificate_pem)
        write_private(pki.admin_key, _key_pem(admin.key))
        write_private(pki.service_account_key, _key_pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)))
        return pki

    def kubeconfig(self, name: str, server: str) -> str:
        """Kubeconfig of the administrator with everything inside it, so that it works from any place."""
        return yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority-data": _inline(self.ca)}}],
                "users": [
                    {
                        "name": "admin",
                        "user": {
                            "client-certificate-data": _inline(self.admin_certificate),
                            "client-key-data": _inline(self.admin_key),
                        },
                    }
                ],
                "contexts": [{"name": name, "context": {"cluster": name, "user": "admin", "namespace": "default"}}],
                "current-context": name,
            },
            sort_keys=False,
        )


def write_private(path: Path, content: bytes) -> None:
    """Write a file that was never readable by anybody else."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _inline(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())


def _name(common: str, organisation: str | None = None) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if organisation:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(parts)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + _LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _authority() -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("sealab-plane-ca")
    certificate = (
        _builder(name, name, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return _Pair(certificate, key)


def _leaf(ca: _Pair, common: str, organisation: str | None, purpose: x509.ObjectIdentifier) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = ca.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        _builder(_name(common, organisation), ca.certificate.subject, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), critical=False)
    )
    if purpose == ExtendedKeyUsageOID.SERVER_AUTH:
        names = [
            x509.IPAddress(ipaddress.IPv4Address("127.0.0.1")),
            x509.DNSName("localhost"),
            x509.DNSName("kubernetes.default.svc"),
        ]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return _Pair(builder.sign(ca.key, hashes.SHA256()), key)
