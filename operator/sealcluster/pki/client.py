"""The client certificate of the admin kubeconfig that we keep in a Secret: the one leaf whose key is made by us."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sealcluster.pki.authority import Authority
from sealcluster.pki.keys import KeyAlgorithm, generate_key, key_pem
from sealcluster.pki.leaves import LeafSpec, admin_groups
from sealcluster.pki.sign import issue

ADMIN_USER = "kubernetes-admin"


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A client certificate and its key, PEM."""

    certificate: str
    key: bytes = field(repr=False)


def admin_leaf(minor: int) -> LeafSpec:
    """Who the holder of `<cluster>-kubeconfig` is: the same identity as in kubeadm's admin.conf of that minor.

    Since v1.29 that group works by a role binding which `kubeadm init` creates, so it can be revoked; a master's
    super-admin.conf remains for break-glass.
    """
    return LeafSpec("admin.conf", "ca", ADMIN_USER, admin_groups(minor))


def create_client(leaf: LeafSpec, ca: Authority, validity: timedelta, now: datetime) -> ClientCertificate:
    """A new P-256 key and its certificate (P-256: made in a millisecond, read by every client)."""
    key = generate_key(KeyAlgorithm.ECDSA_P256)
    return ClientCertificate(issue(key.public_key(), leaf, ca, validity, now), key_pem(key))
