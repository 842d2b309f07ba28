"""`convert`: a sealos Clusterfile becomes the dict of a SealCluster's spec.

Passwords and private keys are not carried over: a SealCluster only refers to Secrets, so the result lists those to make, by name
and key, and never quotes a value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from sealcluster.core import foreign_yaml
from sealcluster.render.clusterfile import CLUSTER_API
from sealcluster.render.clusterfile_documents import Sections, take_apart
from sealcluster.render.clusterfile_hosts import SecretToMake, convert_hosts, convert_ssh, environment
from sealcluster.render.kubeadm import parse_documents
from sealcluster.render.kubeadm_inputs import FieldError

DEFAULT_VIP = "10.103.97.2"

_KUBEADM_KINDS = (
    "ClusterConfiguration",
    "InitConfiguration",
    "JoinConfiguration",
    "KubeletConfiguration",
    "KubeProxyConfiguration",
)
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_STRATEGIES = ("merge", "override", "insert", "append")


@dataclass(frozen=True, slots=True)
class Converted:
    """What a Clusterfile says, in our words."""

    name: str
    """metadata.name of the SealCluster."""
    spec: dict[str, Any]
    secrets: tuple[SecretToMake, ...] = ()
    notes: tuple[str, ...] = field(default=())
    """What a person should know: what was made up, what was dropped and why."""

    def manifest(self) -> dict[str, Any]:
        """The SealCluster object."""
        return {"apiVersion": "sealcluster.io/v1alpha1", "kind": "SealCluster", "metadata": {"name": self.name}, "spec": self.spec}


def parse_clusterfile(text: str) -> Converted:
    """Read a Clusterfile; a `FieldError` names the field (or the document) that cannot be converted and why."""
    try:
        return _converted(text)
    except (TypeError, AttributeError, KeyError, ValueError) as error:  # a value of another kind than sealos would read there
        raise FieldError("Clusterfile", f"has a value of a kind that sealos does not read there ({type(error).__name__})") from error


def _converted(text: str) -> Converted:
    cluster, configs, kubeadm = _documents(text)
    name = _cluster_name(cluster)
    spec = _map(cluster.get("spec"), "spec")
    notes = ["host names are made up: name each host after its machine, because the name becomes that of the Node"]
    images = _images(spec)
    ssh, secrets = convert_ssh(_map(spec.get("ssh"), "spec.ssh"), name)
    hosts, host_secrets = convert_hosts(spec.get("hosts"), ssh, name)
    env = environment(spec.get("env"), "spec.env")
    vip = env.get("defaultVIP", DEFAULT_VIP)
    sections = take_apart(parse_documents(yaml.safe_dump_all(kubeadm), "Clusterfile"), tuple(host["address"] for host in hosts), vip)
    if vip != DEFAULT_VIP:
        sections.endpoint["vip"] = vip
    if not ssh.get("hostKeys"):
        notes.append(
            "sealos accepts any host key; here hosts must be known: set spec.ssh.hostKeys (knownHostsSecretRef or TrustOnFirstUse)"
        )
    converted: dict[str, Any] = {"images": images, "hosts": hosts, "ssh": ssh}
    if env:
        converted["env"] = env
    if configs:
        converted["configs"] = [_config(config, number, images) for number, config in enumerate(configs, 1)]
    registry = _registry(env)
    if registry:
        converted["registry"] = registry
    converted.update(_filled(sections))
    return Converted(name, converted, (*secrets, *host_secrets), (*notes, *sections.notes))


def _documents(text: str) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    """(Cluster, Configs, kubeadm's documents)."""
    if "{{" in text:
        raise FieldError("Clusterfile", "is a Go template: render it first (`sealos apply` fills it with --values and --set), then convert")
    try:
        parsed = [document for document in foreign_yaml.load(text) if document is not None]
    except foreign_yaml.UNREADABLE as error:
        raise FieldError("Clusterfile", foreign_yaml.complaint(error)) from None
    clusters, configs, kubeadm = [], [], []
    for number, document in enumerate(parsed, 1):
        kind = document.get("kind") if isinstance(document, dict) else None
        if kind == "Cluster":
            clusters.append(document)
        elif kind == "Config":
            configs.append(document)
        elif kind in _KUBEADM_KINDS:
            kubeadm.append(document)
        elif kind is None:
            raise FieldError("Clusterfile", f"document {number} has no kind (k3s flags are not supported)")
        else:
            raise FieldError("Clusterfile", f"document {number} is of kind {kind!r}, which sealos does not know either")
    if len(clusters) != 1:
        raise FieldError("Clusterfile", f"has {len(clusters) or 'no'} documents of kind Cluster, expected one")
    if clusters[0].get("apiVersion", CLUSTER_API) != CLUSTER_API:
        raise FieldError("Clusterfile", f"has apiVersion {clusters[0]['apiVersion']!r}, expected {CLUSTER_API}")
    return clusters[0], configs, kubeadm


def _cluster_name(cluster: Mapping[str, Any]) -> str:
    name = _map(cluster.get("metadata"), "metadata").get("name", "default")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise FieldError("metadata.name", f"{name!r} is not a name of lower-case letters, digits and dashes")
    return name


def _images(spec: Mapping[str, Any]) -> list[dict[str, Any]]:
    refs = spec.get("image")
    if not isinstance(refs, list) or not refs or not all(isinstance(ref, str) and ref for ref in refs):
        raise FieldError("spec.image", "must be a list of image references, at least one")
    images: list[dict[str, Any]] = []
    for ref in refs:
        images.append({"name": _image_name(ref, {image["name"] for image in images}), "ref": ref})
    command = spec.get("command")
    if command:
        images[0]["args"] = [str(word) for word in command] if isinstance(command, list) else [str(command)]
    return images


def _image_name(ref: str, taken: set[str]) -> str:
    """``calico`` for ``registry:5000/labring/calico:v3.24.1``."""
    repository = ref.partition("@")[0].rsplit("/", 1)[-1].partition(":")[0].lower()
    base = re.sub(r"[^a-z0-9]+", "-", repository).strip("-")[:50] or "image"
    names = (base if number == 1 else f"{base}-{number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def _config(document: Mapping[str, Any], number: int, images: list[dict[str, Any]]) -> dict[str, Any]:
    where = f"Config {_map(document.get('metadata'), 'metadata').get('name', number)}"
    spec = _map(document.get("spec"), f"{where}: spec")
    for name in ("path", "data"):
        if not isinstance(spec.get(name), str) or not spec[name]:
            raise FieldError(f"{where}: spec.{name}", "must be a text")
    strategy = spec.get("strategy") or "override"
    if strategy not in _STRATEGIES:
        raise FieldError(f"{where}: spec.strategy", f"{strategy!r} is none of {', '.join(_STRATEGIES)}")
    config = {"path": spec["path"], "strategy": strategy, "data": spec["data"]}
    if spec.get("match"):
        matching = [image["name"] for image in images if image["ref"] == spec["match"]]
        if not matching:
            raise FieldError(f"{where}: spec.match", f"{spec['match']!r} is none of the images in spec.image")
        config["match"] = matching[0]
    return config


def _registry(env: Mapping[str, str]) -> dict[str, Any]:
    registry: dict[str, Any] = {}
    if "registryDomain" in env:
        registry["domain"] = env["registryDomain"]
    port = env.get("registryPort", "")
    if port:
        if not port.isdigit():
            raise FieldError("spec.env", "registryPort is not a port number")
        registry["port"] = int(port)
    return registry


def _filled(sections: Sections) -> dict[str, Any]:
    found = {
        "network": sections.network,
        "endpoint": sections.endpoint,
        "certificates": sections.certificates,
        "kubeadm": sections.kubeadm,
    }
    return {name: section for name, section in found.items() if section}


def _map(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise FieldError(where, "must be a map")
    return value
