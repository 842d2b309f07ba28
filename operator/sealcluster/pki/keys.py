"""Private and public keys: which kinds we make, which we accept, how they are written.

Key material never appears in a `repr` or in an exception: errors here are raised ``from None`` with a text of our own.
"""

from __future__ import annotations

from enum import StrEnum

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from sealcluster.core.errors import TerminalError

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

_MIN_RSA_BITS = 2048
_MAX_RSA_BITS = 8192
_MIN_RSA_EXPONENT = 65537
_CURVES = ("secp256r1", "secp384r1", "secp521r1")


class KeyAlgorithm(StrEnum):
    """What a new CA's key is made of. RSA-2048 is what kubeadm itself makes in every release; P-256 is faster and works too."""

    RSA_2048 = "RSA-2048"
    ECDSA_P256 = "ECDSA-P256"


def generate_key(algorithm: KeyAlgorithm = KeyAlgorithm.RSA_2048) -> PrivateKey:
    """A new private key. RSA takes about 0.1 s of CPU: callers on an event loop use a thread."""
    if algorithm is KeyAlgorithm.ECDSA_P256:
        return ec.generate_private_key(ec.SECP256R1())
    return generate_rsa_key()


def generate_rsa_key() -> rsa.RSAPrivateKey:
    """A new RSA-2048 key, where nothing else will do."""
    return rsa.generate_private_key(public_exponent=_MIN_RSA_EXPONENT, key_size=2048)


def key_pem(key: PrivateKey) -> bytes:
    """The key as kubeadm writes it: unencrypted ``RSA PRIVATE KEY`` (PKCS #1) or ``EC PRIVATE KEY`` (SEC 1)."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def public_pem(key: PublicKey) -> bytes:
    """The public key as ``PUBLIC KEY`` (PKIX), the form of kubeadm's sa.pub."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def spki(key: PublicKey) -> bytes:
    """The DER of SubjectPublicKeyInfo: what identifies a key, whatever wraps it."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def load_key(pem: bytes, what: str) -> PrivateKey:
    """Read an unencrypted PEM private key; `what` names it in the error, which never quotes the input."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise TerminalError(f"reading the private key of {what}: not an unencrypted PEM private key", reason="PKIInvalid") from None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise TerminalError(f"reading the private key of {what}: only RSA and ECDSA keys work with Kubernetes", reason="PKIInvalid")
    accept_public_key(key.public_key(), what)
    return key


def accept_public_key(key: PublicKeyTypes, what: str) -> PublicKey:
    """The key if it is strong enough to certify (RSA 2048-8192 with a sane exponent, or a NIST curve), else an error."""
    if isinstance(key, rsa.RSAPublicKey):
        exponent = key.public_numbers().e
        if not _MIN_RSA_BITS <= key.key_size <= _MAX_RSA_BITS:
            raise _weak(what, f"an RSA key of {key.key_size} bits; {_MIN_RSA_BITS} to {_MAX_RSA_BITS} are accepted")
        if exponent < _MIN_RSA_EXPONENT:
            raise _weak(what, f"an RSA key with the public exponent {exponent}")
        return key
    if isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name not in _CURVES:
            raise _weak(what, f"an ECDSA key on {key.curve.name}; P-256, P-384 and P-521 are accepted")
        return key
    raise _weak(what, f"a key of another kind ({type(key).__name__}); RSA and ECDSA are accepted")


def _weak(what: str, found: str) -> TerminalError:
    return TerminalError(f"checking the key of {what}: it is {found}", reason="PKIInvalid")
