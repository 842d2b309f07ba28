"""kubeadm's configuration as the model's kubeadm reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from sealcluster.testing.model.execution import Failed
from sealcluster.testing.model.kube import CONTROL_PLANE_TAINT, Taint


@dataclass(frozen=True)
class NodeConfig:
    """What init and join share."""

    name: str
    address: str
    taints: tuple[Taint, ...] | None
    """None: kubeadm's default."""

    def effective_taints(self, *, control_plane: bool) -> tuple[Taint, ...]:
        """Taints that the Node gets."""
        if self.taints is not None:
            return self.taints
        return (CONTROL_PLANE_TAINT,) if control_plane else ()


@dataclass(frozen=True)
class InitConfig:
    """``kubeadm init``."""

    node: NodeConfig
    domain: str
    port: int
    version: str


@dataclass(frozen=True)
class JoinConfig:
    """``kubeadm join``."""

    node: NodeConfig
    domain: str
    port: int
    token: str
    ca_hashes: tuple[str, ...]
    timeout: float
    control_plane: bool


def documents(config: bytes) -> dict[str, dict[str, Any]]:
    """Documents by kind. Raises `Failed` as kubeadm does for what it cannot read."""
    try:
        found = {d["kind"]: d for d in yaml.safe_load_all(config) if d}
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise Failed(1, f"error unmarshaling configuration: {error}") from error
    return found


def _node(document: dict[str, Any], endpoint: dict[str, Any], hostname: str, address: str) -> NodeConfig:
    registration = document.get("nodeRegistration") or {}
    raw = registration.get("taints")
    taints = None if raw is None else tuple((t["key"], t.get("value") or "", t["effect"]) for t in raw)
    return NodeConfig(registration.get("name") or hostname, endpoint.get("advertiseAddress") or address, taints)


def _split(endpoint: str, default: str) -> tuple[str, int]:
    name, _, port = (endpoint or default).rpartition(":") if ":" in (endpoint or default) else (endpoint or default, "", "6443")
    return name, int(port)


def read_init(config: bytes, hostname: str, address: str) -> InitConfig:
    """Read an init configuration."""
    found = documents(config)
    if "InitConfiguration" not in found or "ClusterConfiguration" not in found:
        raise Failed(1, "no InitConfiguration or ClusterConfiguration kind was found in the YAML file")
    init, cluster = found["InitConfiguration"], found["ClusterConfiguration"]
    node = _node(init, init.get("localAPIEndpoint") or {}, hostname, address)
    domain, port = _split(cluster.get("controlPlaneEndpoint") or "", node.address)
    return InitConfig(node, domain, port, str(cluster.get("kubernetesVersion") or ""))


def read_join(config: bytes, hostname: str, address: str) -> JoinConfig:
    """Read a join configuration."""
    join = documents(config).get("JoinConfiguration")
    if join is None:
        raise Failed(1, "no JoinConfiguration kind was found in the YAML file")
    discovery = join.get("discovery") or {}
    bootstrap = discovery.get("bootstrapToken") or {}
    control_plane = join.get("controlPlane") is not None
    node = _node(join, (join.get("controlPlane") or {}).get("localAPIEndpoint") or {}, hostname, address)
    domain, port = _split(bootstrap.get("apiServerEndpoint") or "", "")
    token = str(bootstrap.get("token") or discovery.get("tlsBootstrapToken") or "")
    hashes = tuple(bootstrap.get("caCertHashes") or ())
    if not hashes and not bootstrap.get("unsafeSkipCAVerification"):
        raise Failed(1, "discovery.bootstrapToken: Invalid value: using token-based discovery without caCertHashes can be unsafe")
    return JoinConfig(node, domain, port, token, hashes, 300.0, control_plane)
