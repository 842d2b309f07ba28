"""The cluster's PKI as one value: three CAs and the service-account key pair; from and to Secrets; as files for masters.

The Secrets have Cluster API's names and keys (``<cluster>-ca``, ``-etcd``, ``-proxy``, ``-sa``; ``tls.crt``, ``tls.key``; for
``sa`` the ``tls.crt`` is the public key), so its tools can read them.
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
SECRET_NAMES = ("ca", "etcd", "proxy", "sa")
"""Suffixes of the Secrets that hold the PKI."""

_COMMON_NAMES = {"ca": "kubernetes", "etcd": "etcd-ca", "proxy": "front-proxy-ca"}
_FILES = {"ca": "ca", "etcd": "etcd/ca", "proxy": "front-proxy-ca"}


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

    def secret_data(self) -> dict[str, dict[str, bytes]]:
        """Secret suffix to its data (raw bytes, not base64)."""
        data = {
            authority.name: {"tls.crt": authority.certificate_pem.encode(), "tls.key": authority.key_pem}
            for authority in (self.ca, self.etcd, self.proxy)
        }
        data["sa"] = {"tls.crt": public_pem(self.sa.public_key()), "tls.key": key_pem(self.sa)}
        return data

    def master_files(self, directory: str = PKI_DIRECTORY) -> tuple[File, ...]:
        """What every master gets before `kubeadm init` or `join`: kubeadm keeps it and signs nothing that is there."""
        files = []
        for authority in (self.ca, self.etcd, self.proxy):
            path = f"{directory}/{_FILES[authority.name]}"
            files.append(File(f"{path}.crt", authority.certificate_pem.encode(), 0o644))
            files.append(File(f"{path}.key", authority.key_pem, 0o600))
        files.append(File(f"{directory}/sa.pub", public_pem(self.sa.public_key()), 0o644))
        files.append(File(f"{directory}/sa.key", key_pem(self.sa), 0o600))
        return tuple(files)


def create_pki(now: datetime, validity: timedelta, algorithm: KeyAlgorithm = KeyAlgorithm.RSA_2048) -> ClusterPKI:
    """New CAs and a new service-account key (about half a second of CPU). Only ever before the cluster is initialised."""
    authorities = {name: create_authority(name, common_name, validity, now, algorithm) for name, common_name in _COMMON_NAMES.items()}
    return ClusterPKI(authorities["ca"], authorities["etcd"], authorities["proxy"], generate_rsa_key())


def load_pki(data: Mapping[str, Mapping[str, bytes]]) -> ClusterPKI:
    """Read the PKI from the data of its four Secrets (suffix to data); one error names everything that is missing."""
    missing = [f"{name}/{key}" for name in SECRET_NAMES for key in ("tls.crt", "tls.key") if not data.get(name, {}).get(key)]
    if missing:
        raise TerminalError(
            f"reading the cluster's PKI: missing in its Secrets: {', '.join(missing)}",
            reason="PKIMissing",
            hint="restore the Secrets from a backup or from /etc/kubernetes/pki of a master; a new CA is never made",
        )
    ca, etcd, proxy = (load_authority(name, data[name]["tls.crt"], data[name]["tls.key"]) for name in _COMMON_NAMES)
    sa = load_key(data["sa"]["tls.key"], "the service accounts' Secret 'sa'")
    if not isinstance(sa, rsa.RSAPrivateKey):
        raise TerminalError("reading the service accounts' Secret 'sa': its key is not RSA", reason="PKIInvalid")
    return ClusterPKI(ca, etcd, proxy, sa)
