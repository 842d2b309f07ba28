"""Checks of the user's kubeadm documents: no secrets, no second place for what spec says elsewhere, nothing unsupported."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sealcluster.api.field_errors import FieldError
from sealcluster.api.spec import SealClusterSpec
from sealcluster.api.validation_env import secret_errors

_KUBEADM = ("kubeadm.k8s.io/v1beta3", "kubeadm.k8s.io/v1beta4")
_KINDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "cluster": ("ClusterConfiguration", _KUBEADM),
    "init": ("InitConfiguration", _KUBEADM),
    "join": ("JoinConfiguration", _KUBEADM),
    "kubelet": ("KubeletConfiguration", ("kubelet.config.k8s.io/v1beta1",)),
    "kubeProxy": ("KubeProxyConfiguration", ("kubeproxy.config.k8s.io/v1alpha1",)),
}

_SECRETS = {"token", "bootstrapTokens", "certificateKey", "tlsBootstrapToken", "password"}
"""Fields of any document that hold a secret; the operator makes tokens and keys itself."""

_ELSEWHERE: Mapping[str, Mapping[str, str]] = {
    "cluster": {
        "kubernetesVersion": "comes from the root file system image",
        "clusterName": "is the name of the SealCluster",
        "controlPlaneEndpoint": "is spec.endpoint.domain and spec.endpoint.port",
        "networking": "is spec.network",
        "certificatesDir": "is fixed",
        "certificateValidityPeriod": "is spec.certificates.validity",
        "caCertificateValidityPeriod": "is spec.certificates.caValidity",
    },
    "init": {"localAPIEndpoint": "is each host's nodeIP and spec.endpoint.port"},
    "join": {
        "discovery": "is made for each join",
        "controlPlane": "follows from the host's roles",
        "caCertPath": "is fixed",
    },
    "kubelet": {"clusterDomain": "is spec.network.dnsDomain", "clusterDNS": "follows from spec.network.serviceSubnet"},
    "kubeProxy": {"mode": "is spec.network.proxyMode", "clusterCIDR": "is spec.network.podSubnet"},
}
"""Fields that have their one place elsewhere."""


def kubeadm_errors(spec: SealClusterSpec) -> Iterator[FieldError]:
    """Everything that is wrong with spec.kubeadm."""
    for name, document in spec.kubeadm.dump().items():
        path = f"spec.kubeadm.{name}"
        kind, versions = _KINDS[name]
        if document.get("kind", kind) != kind:
            yield FieldError(f"{path}.kind", f"must be {kind}, or absent")
        if document.get("apiVersion", versions[-1]) not in versions:
            yield FieldError(f"{path}.apiVersion", f"must be {' or '.join(versions)}, or absent")
        for key, place in _ELSEWHERE[name].items():
            if key in document:
                yield FieldError(f"{path}.{key}", f"{place}: remove it here")
        yield from _etcd_errors(document, path)
        yield from _walk(document, path)


def _etcd_errors(document: Mapping[str, Any], path: str) -> Iterator[FieldError]:
    etcd = document.get("etcd")
    if isinstance(etcd, dict) and "external" in etcd:
        yield FieldError(f"{path}.etcd.external", "external etcd is not supported: remove it, each master runs its own member")


def _walk(value: object, path: str) -> Iterator[FieldError]:
    """Look at every field of a document."""
    if isinstance(value, dict):
        for key, child in value.items():
            field = f"{path}.{key}"
            if key in _SECRETS and child:
                yield FieldError(field, "tokens, keys and passwords do not belong into the spec: remove it, they are made for each cluster")
            elif key == "featureGates" and isinstance(child, dict) and child.get("IPv6DualStack"):
                yield FieldError(f"{field}.IPv6DualStack", "dual stack is not supported: remove it")
            else:
                yield from _walk(child, field)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _walk(child, f"{path}[{index}]")
    elif isinstance(value, str):
        yield from secret_errors(value, path)
        if re.search(r"(^|=)(\d+\.){3}\d+(/\d+)?,[0-9a-fA-F:]+:[0-9a-fA-F:]*(/\d+)?$", value):
            yield FieldError(path, "dual stack is not supported: give the IPv4 address or network only")
