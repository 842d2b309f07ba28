"""KubeletConfiguration and KubeProxyConfiguration by Kubernetes minor: which fields and feature gates a release knows.

Kubelets warn about a field that they do not know, but an unknown feature gate stops them at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sealcluster.render.kubeadm_inputs import ClusterInputs, Document, FieldError, ProxyMode

KUBELET_API = "kubelet.config.k8s.io/v1beta1"
KUBE_PROXY_API = "kubeproxy.config.k8s.io/v1alpha1"

_KUBELET_SINCE = {
    25: ("localStorageCapacityIsolation", "tracing"),
    26: ("topologyManagerPolicyOptions",),
    27: ("containerRuntimeEndpoint", "enableSystemLogQuery", "imageServiceEndpoint", "maxParallelImagePulls"),
    29: ("imageMaximumGCAge",),
    30: ("containerLogMaxWorkers", "containerLogMonitorInterval", "podLogsDir"),
    31: ("failCgroupV1",),
    32: ("crashLoopBackOff", "singleProcessOOMKill"),
    33: (
        "imagePullCredentialsVerificationPolicy",
        "mergeDefaultEvictionSettings",
        "preloadedImagesVerificationAllowlist",
        "userNamespaces",
    ),
    36: ("memoryReservationPolicy", "tlsCurvePreferences"),
    37: ("defaultPodSysctls",),
}
_KUBE_PROXY_SINCE = {28: ("logging",), 29: ("nftables",), 33: ("windowsRunAsService",)}
_GATE_UNTIL = {"TTLAfterFinished": 23, "EphemeralContainers": 25}
"""Gates that sealos writes into its documents, with the last minor that knows them."""

_NFTABLES_SINCE, _NFTABLES_DEFAULT = 29, 31
_IPVS_DEPRECATED = 35

KUBELET_DEFAULTS: dict[str, Any] = {
    # only what differs from the kubelet's own defaults in some supported release: the rest is left to each release
    "cgroupDriver": "systemd",
    "eventBurst": 100,
    "eventRecordQPS": 50,
    "evictionHard": {
        "imagefs.available": "10%",
        "memory.available": "100Mi",
        "nodefs.available": "10%",
        "nodefs.inodesFree": "5%",
    },
    "kubeAPIBurst": 100,
    "kubeAPIQPS": 50,
    "registryBurst": 100,
    "registryPullQPS": 50,
    "rotateCertificates": True,
    "serializeImagePulls": False,
}


def choose_proxy_mode(requested: str, minor: int, *, has_ipvs: bool) -> tuple[ProxyMode, str]:
    """kube-proxy's mode and why. `requested` is spec.network.proxyMode; the fact must hold on every host.

    IPVS mode is deprecated since v1.35, so `Auto` does not pick it from there on. iptables works everywhere; nftables does not, and
    a machine that joins later would have to have it too: only a person chooses it.
    """
    if requested in ("ipvs", "nftables", "iptables"):
        mode: ProxyMode = requested  # type: ignore[assignment]  # narrowed by the line above, which mypy does not do for str
        _check_mode(mode, minor)
        return mode, "as spec.network.proxyMode says"
    if requested != "Auto":
        raise FieldError("spec.network.proxyMode", f"{requested!r} is none of Auto, ipvs, nftables, iptables")
    if minor < _IPVS_DEPRECATED:
        if has_ipvs:
            return "ipvs", "every host's kernel has IPVS"
        return "iptables", "a host's kernel has no IPVS"
    return "iptables", f"IPVS mode is deprecated since v1.{_IPVS_DEPRECATED}"


def check_kubelet(document: Document, minor: int, where: str, *, strict: bool) -> dict[str, Any]:
    """The document without what this minor's kubelet does not know; `strict` makes that an error instead."""
    _check_type(document, "KubeletConfiguration", KUBELET_API, where)
    return _known(document, _KUBELET_SINCE, minor, where, strict=strict)


def check_kube_proxy(document: Document, minor: int, where: str, *, strict: bool) -> dict[str, Any]:
    """The same for kube-proxy."""
    _check_type(document, "KubeProxyConfiguration", KUBE_PROXY_API, where)
    return _known(document, _KUBE_PROXY_SINCE, minor, where, strict=strict)


def kubelet_must_hold(cluster: ClusterInputs) -> dict[str, Any]:
    """What the hosts' container runtime dictates."""
    forced: dict[str, Any] = {}
    if cluster.cgroup_driver:
        forced["cgroupDriver"] = cluster.cgroup_driver
    if cluster.image_service_endpoint and cluster.minor >= 27:
        forced["imageServiceEndpoint"] = cluster.image_service_endpoint
    return forced


def kube_proxy_must_hold(cluster: ClusterInputs) -> dict[str, Any]:
    """Mode, its feature gate where it still needs one."""
    _check_mode(cluster.proxy_mode, cluster.minor)
    forced: dict[str, Any] = {"mode": cluster.proxy_mode}
    if cluster.proxy_mode == "nftables" and cluster.minor < _NFTABLES_DEFAULT:
        forced["featureGates"] = {"NFTablesProxyMode": True}
    return forced


def _check_mode(mode: ProxyMode, minor: int) -> None:
    if mode == "nftables" and minor < _NFTABLES_SINCE:
        raise FieldError("spec.network.proxyMode", f"nftables needs Kubernetes v1.{_NFTABLES_SINCE} or later, this is v1.{minor}")


def _check_type(document: Document, kind: str, api: str, where: str) -> None:
    if document.get("kind", kind) != kind:
        raise FieldError(f"{where}.kind", f"is {document['kind']!r}, expected {kind}")
    if document.get("apiVersion", api) != api:
        raise FieldError(f"{where}.apiVersion", f"is {document['apiVersion']!r}, expected {api}")


def _known(document: Document, since: Mapping[int, tuple[str, ...]], minor: int, where: str, *, strict: bool) -> dict[str, Any]:
    first = {name: release for release, names in since.items() for name in names}
    kept = {}
    for name, value in document.items():
        if name in ("kind", "apiVersion"):
            continue
        if first.get(name, 0) > minor:
            if strict:
                raise FieldError(f"{where}.{name}", f"exists since Kubernetes v1.{first[name]}, this cluster is v1.{minor}")
            continue
        kept[name] = value
    gates = kept.get("featureGates")
    if isinstance(gates, dict):
        gone = [gate for gate in gates if _GATE_UNTIL.get(gate, minor) < minor]
        if gone and strict:
            raise FieldError(
                f"{where}.featureGates.{gone[0]}", f"was removed after Kubernetes v1.{_GATE_UNTIL[gone[0]]}, this cluster is v1.{minor}"
            )
        kept["featureGates"] = {gate: value for gate, value in gates.items() if gate not in gone}
    return kept
