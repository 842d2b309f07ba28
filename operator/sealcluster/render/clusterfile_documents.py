"""The kubeadm documents of a Clusterfile, taken apart: what has a field of its own in SealCluster goes there, the rest stays a document.

Dropped are what SealCluster decides by itself (names and addresses of hosts, tokens, what equals its defaults); everything that a
person might miss is noted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sealcluster.render.kubeadm_component import KUBELET_DEFAULTS, check_kube_proxy, check_kubelet
from sealcluster.render.kubeadm_convert import read_documents
from sealcluster.render.kubeadm_defaults import api_server_sans, cluster_defaults, registration_defaults
from sealcluster.render.kubeadm_inputs import ClusterInputs, FieldError, KubeadmDocuments, kubernetes_minor

_NEWEST_MINOR = 37
_SAN = re.compile(r"(\*\.)?[a-zA-Z0-9]([-a-zA-Z0-9.]*[a-zA-Z0-9])?")
_GO_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_UNITS = (("y", 365 * 86400), ("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_PROXY_MODES = ("ipvs", "nftables", "iptables")

_HOST_FLAGS = {"node-ip", "hostname-override", "image-service-endpoint", "container-runtime-endpoint", "pod-infra-container-image"}
_KUBELET_PLACED = {"clusterDomain", "clusterDNS", "containerRuntimeEndpoint", "imageServiceEndpoint", "staticPodPath"}


@dataclass(slots=True)
class Sections:
    """Parts of SealCluster's spec that documents speak of."""

    network: dict[str, Any] = field(default_factory=dict)
    endpoint: dict[str, Any] = field(default_factory=dict)
    certificates: dict[str, Any] = field(default_factory=dict)
    kubeadm: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def take_apart(documents: KubeadmDocuments, addresses: tuple[str, ...], vip: str) -> Sections:
    """Sort the documents of a Clusterfile; `addresses` are its hosts', which every API server's certificate has anyway."""
    minor = _minor(documents.cluster)
    read = read_documents(documents, "Clusterfile", minor)
    sections = Sections()
    cluster = _cluster(read["cluster"], addresses, vip, minor, sections)
    proxy = _kube_proxy(check_kube_proxy(documents.kube_proxy, minor, "Clusterfile.kubeProxy", strict=False), vip, sections)
    kept = {
        "cluster": cluster,
        "init": _init(read["init"], sections),
        "join": _join(read["join"], sections),
        "kubelet": _kubelet(check_kubelet(documents.kubelet, minor, "Clusterfile.kubelet", strict=False)),
        "kubeProxy": proxy,
    }
    sections.kubeadm = {name: document for name, document in kept.items() if document}
    return sections


def _minor(cluster: Mapping[str, Any]) -> int:
    version = cluster.get("kubernetesVersion")
    return kubernetes_minor(str(version)) if version else _NEWEST_MINOR


def _cluster(document: dict[str, Any], addresses: tuple[str, ...], vip: str, minor: int, sections: Sections) -> dict[str, Any]:
    if "external" in document.get("etcd", {}):
        raise FieldError("Clusterfile.cluster.etcd.external", "external etcd is not supported")
    document.pop("kubernetesVersion", None)
    if document.pop("clusterName", "kubernetes") != "kubernetes":
        sections.notes.append("ClusterConfiguration.clusterName is dropped: a cluster has one name, metadata.name")
    if document.pop("certificatesDir", "/etc/kubernetes/pki") != "/etc/kubernetes/pki":
        sections.notes.append("ClusterConfiguration.certificatesDir is dropped: certificates are in /etc/kubernetes/pki")
    sections.network.update(document.pop("networking", {}))
    endpoint = document.pop("controlPlaneEndpoint", "")
    if endpoint:
        host, _, port = endpoint.rpartition(":")
        if not host or not port.isdigit():
            raise FieldError("Clusterfile.cluster.controlPlaneEndpoint", f"{endpoint!r} is not host:port")
        sections.endpoint.update({"domain": host, "port": int(port)})
    for name, target in (("certificateValidityPeriod", "validity"), ("caCertificateValidityPeriod", "caValidity")):
        if name in document:
            sections.certificates[target] = _period(document.pop(name), f"Clusterfile.cluster.{name}")
    inputs = ClusterInputs(f"v1.{minor}.0", addresses, endpoint_domain=sections.endpoint.get("domain", "apiserver.cluster.local"), vip=vip)
    _take_sans(document.get("apiServer", {}), api_server_sans(inputs), sections)
    for component in ("apiServer", "controllerManager", "scheduler"):
        _drop_blank_gates(document.get(component, {}))
    return without(document, cluster_defaults(inputs))


def _take_sans(api_server: dict[str, Any], known: list[str], sections: Sections) -> None:
    new = [name for name in api_server.pop("certSANs", []) if name not in known]
    sans = [name for name in new if _SAN.fullmatch(name)]
    if sans:
        sections.certificates["extraSANs"] = sans
    if len(sans) < len(new):
        api_server["certSANs"] = [name for name in new if name not in sans]


def _drop_blank_gates(component: dict[str, Any]) -> None:
    """sealos writes an empty --feature-gates everywhere; it only ever erased somebody's gates."""
    if "extraArgs" in component:
        component["extraArgs"] = [flag for flag in component["extraArgs"] if (flag["name"], flag["value"]) != ("feature-gates", "")]


def _init(document: dict[str, Any], sections: Sections) -> dict[str, Any]:
    for name in ("bootstrapTokens", "certificateKey"):
        if document.pop(name, None):
            sections.notes.append(f"InitConfiguration.{name} is dropped: tokens and keys are made for each join")
    port = document.pop("localAPIEndpoint", {}).get("bindPort", 6443)
    if port != sections.endpoint.get("port", port):
        raise FieldError("Clusterfile.init.localAPIEndpoint.bindPort", "differs from the port of controlPlaneEndpoint")
    if port != 6443:
        sections.endpoint["port"] = port
    return _registration(document)


def _join(document: dict[str, Any], sections: Sections) -> dict[str, Any]:
    discovery = document.pop("discovery", {})
    control_plane = document.pop("controlPlane", {})
    if any(discovery.values()) or control_plane.get("certificateKey"):
        sections.notes.append("JoinConfiguration.discovery and certificateKey are dropped: tokens and keys are made for each join")
    document.pop("caCertPath", None)
    timeouts = document.get("timeouts", {})
    if timeouts.get("discovery") in ("5m0s", "5m"):
        timeouts.pop("discovery")  # kubeadm's own default, which sealos writes out
    return _registration(document)


def _registration(document: dict[str, Any]) -> dict[str, Any]:
    """Without what follows from the host."""
    registration = document.get("nodeRegistration", {})
    for name in ("name", "criSocket"):
        registration.pop(name, None)
    flags = registration.get("kubeletExtraArgs", [])
    registration["kubeletExtraArgs"] = [flag for flag in flags if flag["name"] not in _HOST_FLAGS]
    return without(document, {"nodeRegistration": registration_defaults(ClusterInputs(f"v1.{_NEWEST_MINOR}.0", ()))})


def _kubelet(document: dict[str, Any]) -> dict[str, Any]:
    return without({name: value for name, value in document.items() if name not in _KUBELET_PLACED}, KUBELET_DEFAULTS)


def _kube_proxy(document: dict[str, Any], vip: str, sections: Sections) -> dict[str, Any]:
    mode = document.pop("mode", "")
    if mode in _PROXY_MODES:
        sections.network["proxyMode"] = mode
    elif mode:
        raise FieldError("Clusterfile.kubeProxy.mode", f"{mode!r} is none of {', '.join(_PROXY_MODES)}")
    document.pop("clusterCIDR", None)
    ipvs = document.get("ipvs") or {}
    if "excludeCIDRs" in ipvs:
        ipvs = {**ipvs, "excludeCIDRs": [cidr for cidr in ipvs["excludeCIDRs"] or [] if cidr != f"{vip}/32"]}
        document["ipvs"] = ipvs
    return without(document, {})


def without(document: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """What the document says beyond the defaults; empty maps, and lists that lose all their entries, vanish."""
    kept: dict[str, Any] = {}
    for name, value in document.items():
        default = defaults.get(name)
        if isinstance(value, Mapping):
            rest = without(value, default if isinstance(default, Mapping) else {})
            if rest:
                kept[name] = rest
        elif isinstance(value, list) and name != "taints":
            known = default if isinstance(default, list) else []
            entries = [entry for entry in value if entry not in known]
            if entries:
                kept[name] = entries
        elif value != default or default is None:
            kept[name] = value
    return kept


def _period(text: str, where: str) -> str:
    """``10y`` for Go's ``87600h0m0s``."""
    match = _GO_DURATION.fullmatch(str(text))
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    total = hours * 3600 + minutes * 60 + seconds
    if not total:
        raise FieldError(where, f"{text!r} is not a duration such as 8760h")
    for unit, size in _UNITS:
        if total % size == 0 and total // size <= 99999:
            return f"{total // size}{unit}"
    raise FieldError(where, f"{text!r} is longer than can be said")
