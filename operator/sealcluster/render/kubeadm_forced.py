"""The highest layer: values that must hold because other parts of the cluster were built on them.

An image's document that says otherwise is overruled; a user's is refused, naming the field that decides instead.
"""

from __future__ import annotations

from typing import Any

from sealcluster.render.kubeadm_defaults import api_server_sans, go_duration
from sealcluster.render.kubeadm_inputs import V1BETA4_MINOR, ClusterInputs, Discovery, FieldError, NodeInputs
from sealcluster.render.kubeadm_merge import merge, union

CERTIFICATES_DIRECTORY = "/etc/kubernetes/pki"

_REFUSED = {
    "init": ("bootstrapTokens", "certificateKey", "dryRun"),
    "join": ("dryRun", "controlPlane.certificateKey", "discovery.tlsBootstrapToken", "discovery.bootstrapToken", "discovery.file"),
    "cluster": ("etcd.external",),
}
_WHY = {
    "bootstrapTokens": "tokens are made for each join and never stand in a spec",
    "certificateKey": "certificates are placed on the masters directly, no key is needed",
    "controlPlane.certificateKey": "certificates are placed on the masters directly, no key is needed",
    "discovery.tlsBootstrapToken": "tokens are made for each join and never stand in a spec",
    "discovery.bootstrapToken": "tokens are made for each join and never stand in a spec",
    "discovery.file": "a joining host finds the cluster by a token of its own",
    "dryRun": "a dry run is `sealcluster plan`",
    "etcd.external": "external etcd is not supported",
}


def refuse(read: dict[str, dict[str, Any]], where: str) -> None:
    """Raise for what no document may contain (tokens, keys, what is not supported)."""
    for key, paths in _REFUSED.items():
        for path in paths:
            if _get(read[key], path) is not None:
                raise FieldError(f"{where}.{key}.{path}", f"may not be set: {_WHY[path]}")


def force_cluster(document: dict[str, Any], user: dict[str, Any], cluster: ClusterInputs) -> dict[str, Any]:
    """ClusterConfiguration with what must hold."""
    forced: dict[str, Any] = {
        "kubernetesVersion": _with_v(cluster.kubernetes_version),
        "controlPlaneEndpoint": cluster.endpoint,
        "certificatesDir": CERTIFICATES_DIRECTORY,
        "networking": {
            "podSubnet": cluster.pod_subnet,
            "serviceSubnet": cluster.service_subnet,
            "dnsDomain": cluster.dns_domain,
        },
    }
    if cluster.minor >= V1BETA4_MINOR:
        forced["certificateValidityPeriod"] = go_duration(cluster.validity)
        forced["caCertificateValidityPeriod"] = go_duration(cluster.ca_validity)
    refuse_contradiction(user, forced, "spec.kubeadm.cluster")
    merged = merge(document, forced)
    api_server = merged.setdefault("apiServer", {})
    api_server["certSANs"] = union(api_server_sans(cluster), api_server.get("certSANs", []))
    return merged


def force_registration(
    document: dict[str, Any], user: dict[str, Any], key: str, cluster: ClusterInputs, node: NodeInputs, *, master: bool
) -> dict[str, Any]:
    """nodeRegistration of init or join (`key`) with this host's name, address, socket and taints."""
    where = f"spec.kubeadm.{key}.nodeRegistration"
    own = user.get("nodeRegistration", {})
    forced: dict[str, Any] = {"name": node.name, "criSocket": node.cri_socket}
    refuse_contradiction(own, forced, where)
    flags = {"node-ip": node.address}
    if cluster.image_service_endpoint and cluster.minor < 27:
        flags["image-service-endpoint"] = cluster.image_service_endpoint  # a field of KubeletConfiguration since v1.27
    for flag in own.get("kubeletExtraArgs", []):
        if flag["value"] != flags.get(flag["name"], flag["value"]):
            raise FieldError(f"{where}.kubeletExtraArgs.{flag['name']}", f"is decided per host: {flags[flag['name']]} on {node.name}")
    forced["kubeletExtraArgs"] = [{"name": name, "value": value} for name, value in flags.items()]
    registration = merge(document.get("nodeRegistration", {}), forced)
    _force_taints(registration, cluster, node, master=master)
    return {**document, "nodeRegistration": registration}


def force_init(document: dict[str, Any], user: dict[str, Any], cluster: ClusterInputs, node: NodeInputs) -> dict[str, Any]:
    """InitConfiguration for this host."""
    forced = {"localAPIEndpoint": {"advertiseAddress": node.address, "bindPort": cluster.bind_port}}
    refuse_contradiction(user, forced, "spec.kubeadm.init")
    return force_registration(merge(document, forced), user, "init", cluster, node, master=True)


def force_join(
    document: dict[str, Any], user: dict[str, Any], cluster: ClusterInputs, node: NodeInputs, discovery: Discovery, *, master: bool
) -> dict[str, Any]:
    """JoinConfiguration for this host; a master's without certificateKey, because its certificates are there already."""
    joined = dict(document)
    joined.pop("controlPlane", None)
    joined["discovery"] = {
        "bootstrapToken": {
            "apiServerEndpoint": discovery.endpoint,
            "caCertHashes": list(discovery.ca_cert_hashes),
            "token": discovery.token,
        }
    }
    if master:
        joined["controlPlane"] = {"localAPIEndpoint": {"advertiseAddress": node.address, "bindPort": cluster.bind_port}}
        refuse_contradiction(user, {"controlPlane": joined["controlPlane"]}, "spec.kubeadm.join")
    return force_registration(joined, user, "join", cluster, node, master=master)


def refuse_contradiction(user: dict[str, Any], forced: dict[str, Any], where: str) -> None:
    """Raise when the user's document sets a forced value to something else; saying the same is fine."""
    for name, value in forced.items():
        said = user.get(name)
        if said is None:
            continue
        if isinstance(value, dict) and isinstance(said, dict):
            refuse_contradiction(said, value, f"{where}.{name}")
        elif said != value:
            raise FieldError(f"{where}.{name}", f"is {said!r}, but the rest of the spec makes it {value!r}", hint="remove it here")


def _force_taints(registration: dict[str, Any], cluster: ClusterInputs, node: NodeInputs, *, master: bool) -> None:
    """Left out, kubeadm taints a master by itself; any list replaces that, so it must then name the master's taint, too."""
    if node.taints is None:
        registration["taints"] = []
        return
    if "taints" not in registration:
        if master and cluster.single_node:
            registration["taints"] = []
        elif node.taints:
            registration["taints"] = _master_taints(cluster.minor) if master else []
    if node.taints:
        own = [{"key": t.key, "effect": t.effect, **({"value": t.value} if t.value else {})} for t in node.taints]
        replaced = {(taint["key"], taint["effect"]) for taint in own}
        registration["taints"] = [t for t in registration["taints"] if (t.get("key"), t.get("effect")) not in replaced] + own


def _master_taints(minor: int) -> list[dict[str, str]]:
    keys = []
    if minor < 25:
        keys.append("node-role.kubernetes.io/master")
    if minor >= 24:
        keys.append("node-role.kubernetes.io/control-plane")
    return [{"key": key, "effect": "NoSchedule"} for key in keys]


def _with_v(version: str) -> str:
    return version if version.startswith("v") else f"v{version}"


def _get(document: Any, path: str) -> Any:
    for name in path.split("."):
        if not isinstance(document, dict):
            return None
        document = document.get(name)
    return document
