"""Signing: what a certificate says comes from our own policy; the request from the host only brings its public key."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sealcluster.core.errors import TerminalError
from sealcluster.pki.authority import BACKDATE, Authority
from sealcluster.pki.keys import PublicKey, accept_public_key
from sealcluster.pki.leaves import LeafSpec

USAGE_OIDS = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}


def sign(csr_pem: str, leaf: LeafSpec, ca: Authority, validity: timedelta, now: datetime) -> str:
    """The certificate (PEM) for the key of `csr_pem`, saying what `leaf` says, valid until `validity` after `now`.

    Never valid longer than its CA. Subject, names and usages of the request are ignored; its self-signature must be
    good (the host holds the key) and its key strong. The one thing heard from it: for a leaf with `groups_optional` it may ask for
    less. `now` is aware, UTC.
    """
    if ca.name != leaf.ca:
        raise TerminalError(f"signing {leaf.name}: it belongs to the CA {leaf.ca!r}, not {ca.name!r}", reason="PKIInvalid")
    try:
        request = x509.load_pem_x509_csr(csr_pem.encode())
        proven = request.is_signature_valid
        key = request.public_key()
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        raise TerminalError(f"signing {leaf.name}: the host did not send a certificate signing request", reason="PKIInvalid") from None
    if not proven:
        raise TerminalError(f"signing {leaf.name}: the request's own signature is wrong", reason="PKIInvalid")
    if leaf.groups_optional and _names_only(request.subject, leaf.common_name):
        leaf = replace(leaf, organizations=())
    return issue(accept_public_key(key, f"the request for {leaf.name}"), leaf, ca, validity, now)


def issue(key: PublicKey, leaf: LeafSpec, ca: Authority, validity: timedelta, now: datetime) -> str:
    """Certify `key` as `leaf`; callers that got the key from elsewhere use `sign`."""
    starts = max(now - BACKDATE, ca.certificate.not_valid_before_utc)
    ends = min(now + validity, ca.certificate.not_valid_after_utc)
    if ends <= now:
        raise TerminalError(
            f"signing {leaf.name}: the CA {ca.name!r} expired at {ends.isoformat()}",
            reason="PKIExpired",
            hint="a cluster whose CA expired needs a new CA by hand; nothing is signed with an expired one",
        )
    builder = (
        x509.CertificateBuilder()
        .subject_name(_subject(leaf))
        .issuer_name(ca.certificate.subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(starts)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_leaf_usage(encipher=isinstance(key, rsa.RSAPublicKey)), critical=True)
        .add_extension(x509.ExtendedKeyUsage([USAGE_OIDS[usage] for usage in leaf.usages]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(_issuer_identifier(ca), critical=False)
    )
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in leaf.dns_names]
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in leaf.addresses]
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(ca.key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def _names_only(subject: x509.Name, common_name: str) -> bool:
    return [(part.oid, part.value) for part in subject] == [(NameOID.COMMON_NAME, common_name)]


def _subject(leaf: LeafSpec) -> x509.Name:
    groups = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in leaf.organizations]
    return x509.Name([*groups, x509.NameAttribute(NameOID.COMMON_NAME, leaf.common_name)])


def _issuer_identifier(ca: Authority) -> x509.AuthorityKeyIdentifier:
    """The CA's own identifier where it has one: a CA restored from elsewhere may have computed it differently."""
    try:
        own = ca.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.public_key)
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _leaf_usage(*, encipher: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=encipher,
        key_cert_sign=False,
        crl_sign=False,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
