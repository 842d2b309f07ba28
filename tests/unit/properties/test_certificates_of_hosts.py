"""Certificates and requests that a machine hands over, with any byte of theirs changed: judged, never believed, and never an accident."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from sealcluster.core.errors import TerminalError
from sealcluster.phases.certificates import parse_requests
from sealcluster.pki.authority import create_authority
from sealcluster.pki.inspection import problems, read_certificate
from sealcluster.pki.keys import KeyAlgorithm
from sealcluster.pki.leaves import LeafSpec
from sealcluster.pki.sign import issue, sign
from unit.properties.strategies import quick

pytestmark = pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")  # about what is wrong on purpose
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
YEAR = timedelta(days=365)
LEAF = LeafSpec("apiserver", "ca", "kube-apiserver", ("group",), ("server",), ("m1",), ("10.0.0.11",))
CA = create_authority("ca", "kubernetes", 100 * YEAR, NOW, KeyAlgorithm.ECDSA_P256)
KEY = ec.derive_private_key(7, ec.SECP256R1())
GOOD = issue(KEY.public_key(), LEAF, CA, YEAR, NOW)
REQUEST = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER)


def pem(der, kind):
    return f"-----BEGIN {kind}-----\n{base64.encodebytes(der).decode()}-----END {kind}-----\n"


def der_of(text):
    return base64.b64decode("".join(text.splitlines()[1:-1]))


changes = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=4)


def changed(der, what):
    data = bytearray(der)
    for place, byte in what:
        data[place % len(data)] = byte
    return bytes(data)


@quick
@given(changes)
def test_a_changed_certificate_is_made_anew(what):
    der = changed(der_of(GOOD), what)
    found = problems(pem(der, "CERTIFICATE"), LEAF, CA, NOW)
    assert all(isinstance(text, str) for text in found)
    assert found or der == der_of(GOOD)


@quick
@given(changes)
def test_its_expiry_is_a_time_or_a_clear_error(what):
    try:
        read_certificate(pem(changed(der_of(GOOD), what), "CERTIFICATE"), "x")
    except TerminalError as error:
        assert error.reason == "PKIInvalid"


@quick
@given(changes | st.just([]), st.sampled_from(["CERTIFICATE REQUEST", "CERTIFICATE", "PRIVATE KEY"]))
def test_a_changed_request_is_refused_and_a_good_one_gets_what_we_say(what, kind):
    text = pem(changed(REQUEST, what), kind)
    try:
        signed = x509.load_pem_x509_certificate(sign(text, LEAF, CA, YEAR, NOW).encode())
    except TerminalError as error:
        assert error.reason == "PKIInvalid"
    else:
        assert problems(signed.public_bytes(Encoding.PEM).decode(), LEAF, CA, NOW) == ()


def test_a_version_that_is_none_is_refused():
    for der, kind in ((REQUEST, "CERTIFICATE REQUEST"), (der_of(GOOD), "CERTIFICATE")):
        for place in range(40):
            for byte in (1, 5, 255):
                text = pem(changed(der, [(place, byte)]), kind)
                assert isinstance(problems(text, LEAF, CA, NOW), tuple)
                try:
                    sign(text, LEAF, CA, YEAR, NOW)
                except TerminalError as error:
                    assert error.reason == "PKIInvalid"


@pytest.mark.parametrize("text", ["", "\ud800", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "x" * 10**5])
def test_what_is_no_pem_at_all(text):
    assert problems(text, LEAF, CA, NOW)
    with pytest.raises(TerminalError):
        sign(text, LEAF, CA, YEAR, NOW)


@quick
@given(st.text(max_size=80) | st.lists(st.sampled_from(["== a", "== ", "== ../../x", "line", ""]), max_size=5).map("\n".join))
def test_requests_by_name(output):
    assert all(isinstance(v, str) for v in parse_requests(output).values())
