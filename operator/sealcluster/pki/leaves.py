"""Which certificates a master must have, as a policy: pure data from the node's and the cluster's identity.

Names, subjects and usages are those of kubeadm of the same minor, so that `kubeadm init`, `join` and `certs renew` accept what
they find. Up to v1.28 every privileged client was in ``system:masters``; since v1.29 they are in ``kubeadm:cluster-admins`` (a
revocable role binding), and ``super-admin.conf`` alone keeps the break-glass group.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal

from sealcluster.core.errors import TerminalError
from sealcluster.core.ports import NodeIdentity

Usage = Literal["server", "client"]
CAName = Literal["ca", "etcd", "proxy"]

KUBERNETES_DIRECTORY = "/etc/kubernetes"
SUPER_ADMIN_MINOR = 29
"""First minor with super-admin.conf and the group kubeadm:cluster-admins."""

_DNS_NAME = re.compile(r"(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_CN_LIMIT = 64


@dataclass(frozen=True, slots=True)
class ClusterIdentity:
    """What the certificates say about the cluster."""

    endpoint: str
    """Host part of the control-plane endpoint: a name or an address."""
    service_subnet: str = "10.96.0.0/22"
    dns_domain: str = "cluster.local"
    etcd_server_sans: tuple[str, ...] = ()
    etcd_peer_sans: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LeafSpec:
    """One certificate that a master must have."""

    name: str
    """As in the list of `kubeadm certs generate-csr`: ``apiserver``, ``etcd/server``, ``admin.conf``, …"""
    ca: CAName
    common_name: str
    organizations: tuple[str, ...] = ()
    usages: tuple[Usage, ...] = ("client",)
    dns_names: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    groups_optional: bool = False
    """A request for this name without any group is granted as such: its kubeadm gives the user its rights in another way."""

    @property
    def is_kubeconfig(self) -> bool:
        """True when certificate and key live inside a kubeconfig, not in files of their own."""
        return self.name.endswith(".conf")

    @property
    def path(self) -> str:
        """Below /etc/kubernetes: the kubeconfig, or the certificate file (its key ends in ``.key``)."""
        return self.name if self.is_kubeconfig else f"pki/{self.name}.crt"

    @property
    def csr_path(self) -> str:
        """Below the directories given to `kubeadm certs generate-csr` as D (kubeconfigs) and D/pki (certificates)."""
        return f"{self.name}.csr" if self.is_kubeconfig else f"pki/{self.name}.csr"


def expected_certificates(node: NodeIdentity, cluster: ClusterIdentity, minor: int) -> tuple[LeafSpec, ...]:
    """All leaves of this master, in a fixed order; `node.sans` are kubeadm's certSANs; `minor` is the Kubernetes minor (23 for v1.23)."""
    admins = admin_groups(minor)
    etcd_clients = () if minor >= SUPER_ADMIN_MINOR else admins
    dns, addresses = _api_server_names(node, cluster)
    leaves = [
        LeafSpec("apiserver", "ca", "kube-apiserver", (), ("server",), dns, addresses),
        # patch releases since v1.33.13 and v1.36.1 bind this user to system:kubelet-api-admin and ask for no group any more; only the
        # host's own kubeadm knows which it is, and without its binding the group is needed
        LeafSpec("apiserver-kubelet-client", "ca", "kube-apiserver-kubelet-client", admins, groups_optional=minor >= SUPER_ADMIN_MINOR),
        LeafSpec("front-proxy-client", "proxy", "front-proxy-client"),
        _etcd_leaf("etcd/server", node, cluster.etcd_server_sans),
        _etcd_leaf("etcd/peer", node, cluster.etcd_peer_sans),
        LeafSpec("etcd/healthcheck-client", "etcd", "kube-etcd-healthcheck-client", etcd_clients),
        LeafSpec("apiserver-etcd-client", "etcd", "kube-apiserver-etcd-client", etcd_clients),
        LeafSpec("admin.conf", "ca", "kubernetes-admin", admins),
        LeafSpec("controller-manager.conf", "ca", "system:kube-controller-manager"),
        LeafSpec("scheduler.conf", "ca", "system:kube-scheduler"),
    ]
    if node.first:
        leaves.append(LeafSpec("kubelet.conf", "ca", f"system:node:{node.name}", ("system:nodes",)))
        if minor >= SUPER_ADMIN_MINOR:
            leaves.append(LeafSpec("super-admin.conf", "ca", "kubernetes-super-admin", ("system:masters",)))
    for leaf in leaves:
        if len(leaf.common_name) > _CN_LIMIT:
            raise TerminalError(
                f"naming the certificate {leaf.name}: {leaf.common_name!r} is longer than X.509's {_CN_LIMIT} characters",
                reason="PKIInvalid",
                hint="give the host a shorter name (at most 52 characters)",
            )
    return tuple(leaves)


def admin_groups(minor: int) -> tuple[str, ...]:
    """The group of privileged clients in that minor."""
    return ("kubeadm:cluster-admins",) if minor >= SUPER_ADMIN_MINOR else ("system:masters",)


def split_names(names: tuple[str, ...], what: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Sort names into (DNS names, addresses), each once, first seen first; `what` names the list in the error."""
    dns: dict[str, None] = {}
    addresses: dict[str, None] = {}
    for name in names:
        try:
            addresses[str(ipaddress.ip_address(name))] = None
        except ValueError:
            if not _DNS_NAME.fullmatch(name) or len(name) > 253:
                raise TerminalError(
                    f"reading {what}: {name!r} is neither an IP address nor a lower-case DNS name", reason="PKIInvalid"
                ) from None
            dns[name] = None
    return tuple(dns), tuple(addresses)


def service_address(service_subnet: str) -> str:
    """The Service `kubernetes` has the first address of the service subnet."""
    return str(ipaddress.ip_network(service_subnet)[1])


def _api_server_names(node: NodeIdentity, cluster: ClusterIdentity) -> tuple[tuple[str, ...], tuple[str, ...]]:
    service = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"]
    if cluster.dns_domain:
        service.append(f"kubernetes.default.svc.{cluster.dns_domain}")
    names = (
        node.name,
        *service,
        cluster.endpoint,
        service_address(cluster.service_subnet),
        node.address,
        *node.sans,
    )
    return split_names(names, "the API server's names")


def _etcd_leaf(name: str, node: NodeIdentity, extra: tuple[str, ...]) -> LeafSpec:
    names = (node.name, "localhost", node.address, "127.0.0.1", "::1", *extra)
    dns, addresses = split_names(names, f"the names of {name}")
    return LeafSpec(name, "etcd", node.name, (), ("server", "client"), dns, addresses)
