"""The client certificate of the admin kubeconfig that we keep in a Secret: the one leaf whose key is made by us."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sealcluster.pki.authority import Authority
from sealcluster.pki.keys import KeyAlgorithm, generate_key, key_pem
from sealcluster.pki.leaves import LeafSpec, admin_groups
from sealcluster.pki.sign import issue

ADMIN_USER = "kubernetes-admin"
OPERATOR_USER = "sealcluster-operator"


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


def operator_leaf() -> LeafSpec:
    """Who we are to the new cluster: a user of our own, so that its audit log tells us from people, in the group that needs no RBAC.

    For short-lived certificates whose keys stay in memory; never written to a Secret.
    """
    return LeafSpec("operator", "ca", OPERATOR_USER, ("system:masters",))


def create_client(leaf: LeafSpec, ca: Authority, validity: timedelta, now: datetime) -> ClientCertificate:
    """A new P-256 key and its certificate (P-256: made in a millisecond, read by every client)."""
    key = generate_key(KeyAlgorithm.ECDSA_P256)
    return ClientCertificate(issue(key.public_key(), leaf, ca, validity, now), key_pem(key))
