"""A registry and an image service over a fresh store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sealcluster.core.ports import PullAuth
from sealcluster.images.service import ImageService
from sealcluster.images.settings import ImageSettings
from unit.images.registry_server import Registry

ANONYMOUS = PullAuth()


@pytest.fixture
async def registry() -> AsyncIterator[Registry]:
    async with Registry() as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path, registry: Registry) -> ImageSettings:
    return ImageSettings(tmp_path / "store", plain_http=frozenset({registry.address}), first_wait=0.001, max_wait=0.01, read_timeout=2.0)


@pytest.fixture
async def service(settings: ImageSettings) -> AsyncIterator[ImageService]:
    images = ImageService(settings)
    yield images
    await images.close()


@pytest.fixture(scope="session")
def certificates() -> tuple[str, str, str]:
    """PEM of a CA, and of a certificate for 127.0.0.1 that it signed, with its key."""
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    now = datetime.datetime.now(datetime.UTC)
    keys = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]) for name in ("test ca", "registry")]

    def build(number: int, extensions: list[tuple[x509.ExtensionType, bool]]) -> x509.Certificate:
        builder = x509.CertificateBuilder().subject_name(names[number]).issuer_name(names[0]).public_key(keys[number].public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(minutes=5))
        builder = builder.not_valid_after(now + datetime.timedelta(hours=1))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(keys[0], hashes.SHA256())

    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[0].public_key())
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    subject = x509.SubjectKeyIdentifier.from_public_key(keys[0].public_key())
    authority = build(0, [(x509.BasicConstraints(True, 0), True), (usage, True), (subject, False)])
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    leaf = build(1, [(alternative, False), (issuer, False)])
    pem = serialization.Encoding.PEM
    key = keys[1].private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return authority.public_bytes(pem).decode(), leaf.public_bytes(pem).decode(), key.decode()
