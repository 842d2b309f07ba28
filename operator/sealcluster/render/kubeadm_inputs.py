"""What the kubeadm configuration is made from: plain values, handed in by the phases. Nothing here reads a host or a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from sealcluster.core.errors import TerminalError

ProxyMode = Literal["ipvs", "nftables", "iptables"]
Document = Mapping[str, Any]

OLDEST_MINOR = 23
V1BETA4_MINOR = 31
"""First Kubernetes minor whose kubeadm reads kubeadm.k8s.io/v1beta4."""

_VERSION = re.compile(r"v?1\.(\d+)\.(\d+)([-+].*)?")


class FieldError(TerminalError):
    """A value that cannot be used, found before anything was touched. `field` is its path, from ``spec.`` or from the file's name."""

    default_reason = "InvalidSpec"

    def __init__(self, field: str, problem: str, hint: str = "") -> None:
        super().__init__(f"{field}: {problem}", hint=hint)
        self.field = field


def kubernetes_minor(version: str) -> int:
    """34 for ``v1.34.4``."""
    match = _VERSION.fullmatch(version)
    if not match:
        raise FieldError("kubernetesVersion", f"{version!r} is not a Kubernetes version such as v1.34.4")
    minor = int(match[1])
    if minor < OLDEST_MINOR:
        raise FieldError("kubernetesVersion", f"{version} is older than the oldest supported release, v1.{OLDEST_MINOR}")
    return minor


@dataclass(frozen=True, slots=True)
class KubeadmDocuments:
    """One document of each kind, as parsed YAML; an empty mapping means: none."""

    cluster: Document = field(default_factory=dict)
    init: Document = field(default_factory=dict)
    join: Document = field(default_factory=dict)
    kubelet: Document = field(default_factory=dict)
    kube_proxy: Document = field(default_factory=dict)

    def items(self) -> tuple[tuple[str, Document], ...]:
        """(key below spec.kubeadm, document), in a fixed order."""
        return (
            ("cluster", self.cluster),
            ("init", self.init),
            ("join", self.join),
            ("kubelet", self.kubelet),
            ("kubeProxy", self.kube_proxy),
        )


@dataclass(frozen=True, slots=True)
class Taint:
    """A taint of a Node."""

    key: str
    effect: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class NodeInputs:
    """The host that a configuration is for."""

    name: str
    """The Node's name."""
    address: str
    """Its address inside the cluster: kubelet's node-ip and, on a master, the advertise address."""
    cri_socket: str = "unix:///run/containerd/containerd.sock"
    taints: tuple[Taint, ...] | None = ()
    """In addition to those that the role brings; None: none at all (an empty list in spec.hosts)."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """How a joining host finds and trusts the cluster."""

    endpoint: str
    """host:port of a healthy API server."""
    ca_cert_hashes: tuple[str, ...]
    """``sha256:<hex>``"""
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ClusterInputs:
    """The cluster that a configuration is for."""

    kubernetes_version: str
    """``v1.34.4``, from the rootfs image."""
    masters: tuple[str, ...]
    """Addresses of all masters that are wanted."""
    endpoint_domain: str = "apiserver.cluster.local"
    endpoint_port: int = 6443
    bind_port: int = 6443
    """Port of each master's own API server; the endpoint's, unless an external balancer translates."""
    vip: str | None = "10.103.97.2"
    pod_subnet: str = "100.64.0.0/10"
    service_subnet: str = "10.96.0.0/22"
    dns_domain: str = "cluster.local"
    proxy_mode: ProxyMode = "ipvs"
    """Already decided (`choose_proxy_mode`)."""
    extra_sans: tuple[str, ...] = ()
    validity: timedelta = timedelta(days=3650)
    """Of leaf certificates, also of those that the controller manager signs for kubelets."""
    ca_validity: timedelta = timedelta(days=36500)
    single_node: bool = False
    """The cluster is one machine: its master takes workloads."""
    cgroup_driver: str | None = None
    """As found on the hosts; None: systemd, unless a document says otherwise."""
    image_service_endpoint: str | None = None
    """Socket of the image's CRI shim, ``unix:///…``, if it has one."""
    image_pull_policy: str = "Never"
    """kubeadm's own pulls. Never: containerd pulls beforehand (or the kubelet, for what is missing), and kubeadm waits for none of it."""
    audit: bool = True
    """Audit log with the policy at /etc/kubernetes/audit-policy.yml."""
    image_documents: KubeadmDocuments = KubeadmDocuments()
    """From the image's etc/kubeadm.yml (`parse_documents`)."""
    user_documents: KubeadmDocuments = KubeadmDocuments()
    """spec.kubeadm."""

    @property
    def minor(self) -> int:
        """34 for v1.34.4."""
        return kubernetes_minor(self.kubernetes_version)

    @property
    def endpoint(self) -> str:
        """host:port of the control plane, as in every kubeconfig."""
        return f"{self.endpoint_domain}:{self.endpoint_port}"
