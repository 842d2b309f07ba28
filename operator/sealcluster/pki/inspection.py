"""Reading certificates: when they expire, and how far one is from what the policy wants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from sealcluster.core.errors import TerminalError
from sealcluster.pki.authority import Authority
from sealcluster.pki.leaves import LeafSpec
from sealcluster.pki.sign import USAGE_OIDS

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What a certificate says, in plain values. Nothing secret."""

    common_name: str
    organizations: tuple[str, ...]
    dns_names: tuple[str, ...]
    addresses: tuple[str, ...]
    usages: tuple[str, ...]
    issuer: str
    not_before: datetime
    not_after: datetime
    """Aware, UTC."""
    serial: int

    def expires_within(self, span: timedelta, now: datetime) -> bool:
        """True when less than `span` is left."""
        return self.not_after - now < span


def read_certificate(pem: str, what: str) -> CertificateFacts:
    """Read the first certificate of `pem`; `what` names it in the error."""
    certificate = _load(pem, what)
    try:
        return _facts(certificate)
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion):
        raise TerminalError(f"reading the certificate {what}: it is malformed", reason="PKIInvalid") from None


def problems(pem: str, leaf: LeafSpec, ca: Authority, now: datetime) -> tuple[str, ...]:
    """Why this certificate must be made anew, in words; empty when it is as the policy wants it.

    More names than wanted are no problem (kubeadm accepts them, and a removed master's address hurts nobody); missing ones are.
    """
    try:
        found, certificate = read_certificate(pem, leaf.name), _load(pem, leaf.name)
    except TerminalError as error:
        return (error.message,)
    wrong = []
    groups = [] if leaf.groups_optional and not found.organizations else sorted(leaf.organizations)
    if (found.common_name, sorted(found.organizations)) != (leaf.common_name, groups):
        wrong.append(f"{leaf.name} is issued to {found.common_name!r}, groups {list(found.organizations)}")
    missing = [name for name in leaf.dns_names if name not in found.dns_names]
    missing += [address for address in leaf.addresses if address not in found.addresses]
    if missing:
        wrong.append(f"{leaf.name} lacks the names {', '.join(missing)}")
    if set(leaf.usages) - set(found.usages):
        wrong.append(f"{leaf.name} is for {', '.join(found.usages) or 'nothing'}, not {', '.join(leaf.usages)}")
    try:
        certificate.verify_directly_issued_by(ca.certificate)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        wrong.append(f"{leaf.name} is not signed by the cluster's CA {ca.name!r}")
    if found.not_after <= now:
        wrong.append(f"{leaf.name} expired at {found.not_after.isoformat()}")
    return tuple(wrong)


def _load(pem: str, what: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except (ValueError, x509.InvalidVersion):
        raise TerminalError(f"reading the certificate {what}: it is not PEM", reason="PKIInvalid") from None


def _facts(certificate: x509.Certificate) -> CertificateFacts:
    subject = certificate.subject
    names = _extension(certificate, x509.SubjectAlternativeName)
    usages = _extension(certificate, x509.ExtendedKeyUsage)
    by_oid = {oid: name for name, oid in USAGE_OIDS.items()}
    common = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return CertificateFacts(
        common_name=str(common[0].value) if common else "",
        organizations=tuple(str(a.value) for a in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)),
        dns_names=tuple(names.get_values_for_type(x509.DNSName)) if names else (),
        addresses=tuple(str(a) for a in names.get_values_for_type(x509.IPAddress)) if names else (),
        usages=tuple(by_oid.get(oid, oid.dotted_string) for oid in usages) if usages else (),
        issuer=certificate.issuer.rfc4514_string(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        serial=certificate.serial_number,
    )


def _extension(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
