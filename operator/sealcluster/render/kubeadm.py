"""kubeadm's configuration: `kubeadm init` and `join` files for every Kubernetes minor from v1.23 on. Pure and deterministic.

Four layers, each over the one before: our defaults (`kubeadm_defaults`), the image's etc/kubeadm.yml, the user's documents, and
what must hold (`kubeadm_forced`). A rendered join file holds a bootstrap token: it is a secret while the token lives.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import yaml

from sealcluster.core import foreign_yaml
from sealcluster.render.kubeadm_component import (
    KUBE_PROXY_API,
    KUBELET_API,
    KUBELET_DEFAULTS,
    check_kube_proxy,
    check_kubelet,
    kube_proxy_must_hold,
    kubelet_must_hold,
)
from sealcluster.render.kubeadm_convert import read_documents, write_documents
from sealcluster.render.kubeadm_defaults import cluster_defaults, registration_defaults
from sealcluster.render.kubeadm_forced import force_cluster, force_init, force_join, refuse, refuse_contradiction
from sealcluster.render.kubeadm_inputs import ClusterInputs, Discovery, FieldError, KubeadmDocuments, NodeInputs
from sealcluster.render.kubeadm_merge import merge, union

IMAGE_DOCUMENTS = "etc/kubeadm.yml"
"""Where an image keeps its documents; leads the path in errors about them."""
LARGEST_DOCUMENTS = 64 << 10
"""As `foreign_yaml.LARGEST`; they are read and written anew in every plan. Those of the known images take an eighth."""

_KEYS = {
    "ClusterConfiguration": "cluster",
    "InitConfiguration": "init",
    "JoinConfiguration": "join",
    "KubeletConfiguration": "kubelet",
    "KubeProxyConfiguration": "kube_proxy",
}


@dataclass(frozen=True, slots=True)
class CertificateNames:
    """Additional names of the certificates as the merged ClusterConfiguration has them; what kubeadm will look for."""

    api_server: tuple[str, ...]
    etcd_server: tuple[str, ...] = ()
    etcd_peer: tuple[str, ...] = ()


def render_init(cluster: ClusterInputs, node: NodeInputs) -> str:
    """The file for `kubeadm init --config` on the first master: Init, Cluster, Kubelet and KubeProxy documents."""
    return dump(init_documents(cluster, node))


def render_csr(cluster: ClusterInputs, node: NodeInputs) -> str:
    """The file for `kubeadm certs generate-csr --config` on any master: Init and Cluster documents naming that host."""
    return dump(init_documents(cluster, node)[:2])


def render_join(cluster: ClusterInputs, node: NodeInputs, discovery: Discovery, *, master: bool) -> str:
    """The file for `kubeadm join --config`. Secret: it holds the token."""
    user = _user(cluster)
    joined = merge({"nodeRegistration": registration_defaults(cluster)}, merge(_image(cluster)["join"], user["join"]))
    forced = force_join(joined, user["join"], cluster, node, discovery, master=master)
    return dump([write_documents({"join": forced}, cluster.minor)["join"]])


def init_documents(cluster: ClusterInputs, node: NodeInputs) -> list[dict[str, Any]]:
    """The documents of `render_init` as data: InitConfiguration, ClusterConfiguration, kubelet, kube-proxy. No secrets."""
    user, image = _user(cluster), _image(cluster)
    init = merge({"nodeRegistration": registration_defaults(cluster)}, merge(image["init"], user["init"]))
    merged = merge(cluster_defaults(cluster), merge(image["cluster"], user["cluster"]))
    written = write_documents(
        {
            "init": force_init(init, user["init"], cluster, node),
            "cluster": force_cluster(merged, user["cluster"], cluster),
        },
        cluster.minor,
    )
    return [written["init"], written["cluster"], _kubelet(cluster), _kube_proxy(cluster)]


def join_template(cluster: ClusterInputs) -> dict[str, Any]:
    """What every JoinConfiguration of the cluster says, without host, token or role. For people to read."""
    joined = merge({"nodeRegistration": registration_defaults(cluster)}, merge(_image(cluster)["join"], _user(cluster)["join"]))
    return write_documents({"join": joined}, cluster.minor)["join"]


def certificate_names(cluster: ClusterInputs) -> CertificateNames:
    """What the certificates must name besides what kubeadm adds by itself."""
    user, image = _user(cluster), _image(cluster)
    merged = force_cluster(merge(image["cluster"], user["cluster"]), user["cluster"], cluster)
    etcd = merged.get("etcd", {}).get("local", {})
    return CertificateNames(
        tuple(merged["apiServer"]["certSANs"]),
        tuple(etcd.get("serverCertSANs", ())),
        tuple(etcd.get("peerCertSANs", ())),
    )


def parse_documents(text: str, where: str = IMAGE_DOCUMENTS) -> KubeadmDocuments:
    """Documents of a YAML stream by their kind; kinds that are none of kubeadm's five are an error naming `where`."""
    try:
        parsed = foreign_yaml.load(text, LARGEST_DOCUMENTS)
    except foreign_yaml.UNREADABLE as error:
        raise FieldError(where, foreign_yaml.complaint(error)) from None
    found: dict[str, dict[str, Any]] = {}
    for number, document in enumerate(parsed, 1):
        if document is None:
            continue
        kind = document.get("kind") if isinstance(document, dict) else None
        if kind not in _KEYS:
            raise FieldError(where, f"document {number} is of kind {kind!r}, expected one of {', '.join(_KEYS)}")
        if _KEYS[kind] in found:
            raise FieldError(where, f"document {number} is the second {kind}")
        found[_KEYS[kind]] = document
    return KubeadmDocuments(**found)


def dump(documents: Iterable[dict[str, Any]]) -> str:
    """A YAML stream: apiVersion and kind first, then keys in order; the same input is the same text, always."""
    return "---\n".join(
        yaml.dump(_ordered(document), Dumper=_Dumper, sort_keys=False, default_flow_style=False, width=4096, allow_unicode=True)
        for document in documents
    )


def _user(cluster: ClusterInputs) -> dict[str, dict[str, Any]]:
    read = read_documents(cluster.user_documents, "spec.kubeadm", cluster.minor)
    refuse(read, "spec.kubeadm")
    return read


def _image(cluster: ClusterInputs) -> dict[str, dict[str, Any]]:
    read = read_documents(cluster.image_documents, IMAGE_DOCUMENTS, cluster.minor)
    refuse(read, IMAGE_DOCUMENTS)
    return read


def _kubelet(cluster: ClusterInputs) -> dict[str, Any]:
    user = check_kubelet(cluster.user_documents.kubelet, cluster.minor, "spec.kubeadm.kubelet", strict=True)
    image = check_kubelet(cluster.image_documents.kubelet, cluster.minor, IMAGE_DOCUMENTS, strict=False)
    forced = kubelet_must_hold(cluster)
    refuse_contradiction(user, forced, "spec.kubeadm.kubelet")
    merged = merge(merge(KUBELET_DEFAULTS, merge(image, user)), forced)
    return {"apiVersion": KUBELET_API, "kind": "KubeletConfiguration", **merged}


def _kube_proxy(cluster: ClusterInputs) -> dict[str, Any]:
    user = check_kube_proxy(cluster.user_documents.kube_proxy, cluster.minor, "spec.kubeadm.kubeProxy", strict=True)
    image = check_kube_proxy(cluster.image_documents.kube_proxy, cluster.minor, IMAGE_DOCUMENTS, strict=False)
    forced = kube_proxy_must_hold(cluster)
    refuse_contradiction(user, forced, "spec.kubeadm.kubeProxy")
    merged = merge(merge(image, user), forced)
    if cluster.vip and cluster.proxy_mode == "ipvs":
        # kube-proxy deletes every virtual server that it does not know, unless it is told to leave it alone
        ipvs = merged.get("ipvs") or {}
        merged["ipvs"] = {**ipvs, "excludeCIDRs": union(ipvs.get("excludeCIDRs") or [], [f"{cluster.vip}/32"])}
    return {"apiVersion": KUBE_PROXY_API, "kind": "KubeProxyConfiguration", **merged}


def _ordered(value: Any, *, top: bool = True) -> Any:
    if isinstance(value, dict):
        first = [key for key in ("apiVersion", "kind") if top and key in value]
        rest = sorted(key for key in value if key not in first)
        return {key: _ordered(value[key], top=False) for key in (*first, *rest)}
    if isinstance(value, list | tuple):
        return [_ordered(entry, top=False) for entry in value]
    return value


class _Dumper(yaml.SafeDumper):
    """Indents lists' items not at all (as Kubernetes does), writes no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_LOOKS_LIKE_A_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|0[oObBxX].*")


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    """Quotes what Go's YAML might take for a number though Python's does not (``1e3``)."""
    style = "'" if _LOOKS_LIKE_A_NUMBER.fullmatch(value) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else style)


_Dumper.add_representer(str, _text)
