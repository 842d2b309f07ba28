"""The cluster's PKI as one value: three CAs and the service-account key pair; as pairs of PEM for keeping, as files for masters.

The pairs have Cluster API's names (``ca``, ``etcd``, ``proxy``, ``sa``; for ``sa`` the first half is the public key), so its tools can
read the Secrets that are made of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import rsa

from sealcluster.core.errors import TerminalError
from sealcluster.core.ops import File
from sealcluster.pki.authority import Authority, create_authority, load_authority
from sealcluster.pki.keys import KeyAlgorithm, generate_rsa_key, key_pem, load_key, public_pem

PKI_DIRECTORY = "/etc/kubernetes/pki"

Pairs = Mapping[str, tuple[str, str]]
"""Name to (certificate or public key, private key), PEM."""

_COMMON_NAMES = {"ca": "kubernetes", "etcd": "etcd-ca", "proxy": "front-proxy-ca"}
_FILES = {
    "ca": ("ca.crt", "ca.key"),
    "etcd": ("etcd/ca.crt", "etcd/ca.key"),
    "proxy": ("front-proxy-ca.crt", "front-proxy-ca.key"),
    "sa": ("sa.pub", "sa.key"),
}


@dataclass(frozen=True, slots=True, eq=False)
class ClusterPKI:
    """Everything that must be equal on all masters and must outlive each of them."""

    ca: Authority
    """Signs the API server, clients and kubelets."""
    etcd: Authority
    proxy: Authority
    """The front proxy's (aggregated API servers)."""
    sa: rsa.RSAPrivateKey = field(repr=False)
    """Signs service-account tokens. RSA: consumers of such tokens do not all read anything else."""

    def authority(self, name: str) -> Authority:
        """The CA that a `LeafSpec.ca` names."""
        return {"ca": self.ca, "etcd": self.etcd, "proxy": self.proxy}[name]

    def pairs(self) -> dict[str, tuple[str, str]]:
        """What is kept. Secret."""
        pairs = {a.name: (a.certificate_pem, a.key_pem.decode()) for a in (self.ca, self.etcd, self.proxy)}
        pairs["sa"] = (public_pem(self.sa.public_key()).decode(), key_pem(self.sa).decode())
        return pairs


def create_pki(now: datetime, validity: timedelta, algorithm: KeyAlgorithm = KeyAlgorithm.RSA_2048) -> ClusterPKI:
    """New CAs and a new service-account key (about half a second of CPU). Only ever before the cluster is initialised."""
    ca, etcd, proxy = (create_authority(name, common_name, validity, now, algorithm) for name, common_name in _COMMON_NAMES.items())
    return ClusterPKI(ca, etcd, proxy, generate_rsa_key())


def load_pki(pairs: Pairs) -> ClusterPKI:
    """Read the PKI; one error names everything that is missing. Every CA is checked to be one and to own its key."""
    missing = [name for name in _FILES if not all(pairs.get(name, ())) or name not in pairs]
    if missing:
        raise TerminalError(
            f"reading the cluster's PKI: missing: {', '.join(missing)}",
            reason="PKIMissing",
            hint="restore it from a backup or from /etc/kubernetes/pki of a master; a new CA is never made for a running cluster",
        )
    ca, etcd, proxy = (load_authority(name, *(half.encode() for half in pairs[name])) for name in _COMMON_NAMES)
    sa = load_key(pairs["sa"][1].encode(), "the service accounts ('sa')")
    if not isinstance(sa, rsa.RSAPrivateKey):
        raise TerminalError("reading the key of the service accounts ('sa'): it is not RSA", reason="PKIInvalid")
    return ClusterPKI(ca, etcd, proxy, sa)


def authority_files(pairs: Pairs, directory: str = PKI_DIRECTORY) -> tuple[File, ...]:
    """What every master gets before `kubeadm init` or `join`: kubeadm keeps what is there and signs nothing anew."""
    files = []
    for name, (public, private) in _FILES.items():
        files.append(File(f"{directory}/{public}", pairs[name][0].encode(), 0o644))
        files.append(File(f"{directory}/{private}", pairs[name][1].encode(), 0o600))
    return tuple(files)
