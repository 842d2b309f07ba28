"""`status.clusterfile`: the cluster in sealos' own format, resolved and without secrets, so that sealos' users and tools can read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sealcluster.core.digest import digest
from sealcluster.render.kubeadm import dump
from sealcluster.render.remembered import Remembered

CLUSTER_API = "apps.sealos.io/v1beta1"

_texts: Remembered[str] = Remembered(16 << 20)
"""Each status holds the text, and nearly all of them hold the same as the one before; YAML is the dearest part of a status."""


@dataclass(frozen=True, slots=True)
class ClusterfileHost:
    """A machine of the cluster."""

    address: str
    roles: tuple[str, ...]
    """Of master, node, registry."""
    port: int = 22
    user: str = ""
    """Login name, where it differs from the cluster's."""
    arch: str = ""
    """``amd64`` or ``arm64``; empty when nobody has looked yet."""
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClusterfileImage:
    """A cluster image; `type` is rootfs, patch or application."""

    name: str
    ref: str
    type: str = ""
    """Empty when the image was not read yet."""


@dataclass(frozen=True, slots=True)
class ClusterfileConfig:
    """A change to a file of an image, with data that stand in the spec (never those of a Secret)."""

    path: str
    data: str
    match: str = ""
    """Reference of the one image that is changed; empty: all."""
    strategy: str = "override"


@dataclass(frozen=True, slots=True)
class ClusterfileInputs:
    """Everything that a Clusterfile tells."""

    name: str
    images: tuple[ClusterfileImage, ...]
    hosts: tuple[ClusterfileHost, ...]
    user: str = "root"
    port: int = 22
    env: Mapping[str, str] = field(default_factory=dict)
    args: tuple[str, ...] = ()
    """What replaces the first image's CMD."""
    configs: tuple[ClusterfileConfig, ...] = ()
    documents: tuple[Mapping[str, Any], ...] = ()
    """`kubeadm.init_documents` of the first master and `kubeadm.join_template`."""
    created: str = ""
    """When the control plane was initialised, RFC 3339; empty before."""
    ready: bool = False


def render_clusterfile(inputs: ClusterfileInputs) -> str:
    """The YAML text: Cluster, Configs, kubeadm's documents. The same input is the same text, so status changes only with the cluster."""
    return _texts.get(digest(repr(inputs)), lambda: _render(inputs), len)


def _render(inputs: ClusterfileInputs) -> str:
    configs = [_config(number, config) for number, config in enumerate(inputs.configs, 1)]
    return dump([_cluster(inputs), *configs, *(dict(document) for document in inputs.documents)])


def _cluster(inputs: ClusterfileInputs) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "hosts": _blocks(inputs),
        "image": [image.ref for image in inputs.images],
        "ssh": {"user": inputs.user, "port": inputs.port},
    }
    if inputs.env:
        spec["env"] = _pairs(inputs.env)
    if inputs.args:
        spec["command"] = list(inputs.args)
    metadata: dict[str, Any] = {"name": inputs.name}
    if inputs.created:
        metadata["creationTimestamp"] = inputs.created
    return {"apiVersion": CLUSTER_API, "kind": "Cluster", "metadata": metadata, "spec": spec, "status": _status(inputs)}


def _status(inputs: ClusterfileInputs) -> dict[str, Any]:
    status: dict[str, Any] = {"phase": "ClusterSuccess" if inputs.ready else "ClusterInProcess"}
    if inputs.ready:
        condition = {
            "type": "ApplyClusterSuccess",
            "status": "True",
            "reason": "Ready",
            "message": "Applied to cluster successfully",
        }
        if inputs.created:
            condition["lastHeartbeatTime"] = inputs.created  # a clock here would change status on every pass
        status["conditions"] = [condition]
    mounts = [{"name": i.name, "imageName": i.ref, "type": i.type} for i in inputs.images if i.type]
    if mounts:
        status["mounts"] = mounts
    return status


def _blocks(inputs: ClusterfileInputs) -> list[dict[str, Any]]:
    """Hosts that differ in nothing but their address share a block; masters first, for sealos takes the first address for master 0."""
    blocks: dict[tuple[Any, ...], list[str]] = {}
    for host in sorted(inputs.hosts, key=lambda host: "master" not in host.roles):
        roles = tuple(role for role in ("master", "node", "registry") if role in host.roles)
        key = (roles, host.arch, tuple(sorted(host.env.items())), host.user)
        blocks.setdefault(key, []).append(f"{host.address}:{host.port}")
    return [_block(key, addresses, inputs.user) for key, addresses in blocks.items()]


def _block(key: tuple[Any, ...], addresses: list[str], user: str) -> dict[str, Any]:
    roles, arch, env, own_user = key
    block: dict[str, Any] = {"ips": addresses, "roles": [*roles, *([arch] if arch else [])]}
    if env:
        block["env"] = [f"{name}={value}" for name, value in env]
    if own_user and own_user != user:
        block["ssh"] = {"user": own_user}
    return block


def _config(number: int, config: ClusterfileConfig) -> dict[str, Any]:
    spec = {"path": config.path, "strategy": config.strategy, "data": config.data}
    if config.match:
        spec["match"] = config.match
    return {"apiVersion": CLUSTER_API, "kind": "Config", "metadata": {"name": f"config-{number}"}, "spec": spec}


def _pairs(env: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in sorted(env.items())]
