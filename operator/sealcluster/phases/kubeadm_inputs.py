"""From the view to what kubeadm's configuration is rendered from. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from sealcluster.api import duration
from sealcluster.core.ports import CertificatePolicy, NodeIdentity
from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.environment import host_env
from sealcluster.render.kubeadm import certificate_names, parse_documents
from sealcluster.render.kubeadm_component import choose_proxy_mode
from sealcluster.render.kubeadm_inputs import ClusterInputs, KubeadmDocuments, NodeInputs, Taint, kubernetes_minor

KUBEADM_FILE = "etc/kubeadm.yml"
AUDIT_POLICY = "statics/audit-policy.yml"
NO_SCHEDULE_MASTER = Taint("node-role.kubernetes.io/control-plane", "NoSchedule")


def cluster_inputs(view: ClusterView) -> ClusterInputs:
    """Everything that all hosts' documents share."""
    spec = view.spec
    minor = kubernetes_minor(view.version)
    facts = [h.facts for h in view.wanted if h.facts is not None]
    mode, _ = choose_proxy_mode(str(spec.network.proxy_mode), minor, has_ipvs=bool(facts) and all(f.ipvs for f in facts))
    first = view.masters[0] if view.masters else None
    env: Mapping[str, str] = host_env(view, first) if first else {}
    rootfs = view.rootfs
    image_text = rootfs.small_files.get(KUBEADM_FILE, "") if rootfs else ""
    user = spec.kubeadm
    return ClusterInputs(
        kubernetes_version=view.version,
        masters=(),  # certificates name only their own master: a new one changes nobody else's
        endpoint_domain=str(spec.endpoint.domain),
        endpoint_port=int(spec.endpoint.port),
        bind_port=int(spec.endpoint.port),
        vip=str(spec.endpoint.vip),
        pod_subnet=str(spec.network.pod_subnet),
        service_subnet=str(spec.network.service_subnet),
        dns_domain=str(spec.network.dns_domain),
        proxy_mode=mode,
        extra_sans=tuple(str(s) for s in spec.certificates.extra_sans),
        validity=duration(spec.certificates.validity),
        ca_validity=duration(spec.certificates.ca_validity),
        single_node=len(view.wanted) == 1,
        image_service_endpoint=env.get("SEALOS_SYS_IMAGE_ENDPOINT"),
        audit=rootfs is not None and AUDIT_POLICY in rootfs.small_files,
        image_documents=parse_documents(image_text, f"{rootfs.name if rootfs else ''}:{KUBEADM_FILE}")
        if image_text
        else KubeadmDocuments(),
        user_documents=KubeadmDocuments(
            cluster=dict(user.cluster),
            init=dict(user.init),
            join=dict(user.join),
            kubelet=dict(user.kubelet),
            kube_proxy=dict(user.kube_proxy),
        ),
    )


def node_inputs(view: ClusterView, host: HostView) -> NodeInputs:
    """What one host's documents need."""
    env = host_env(view, host)
    taints: tuple[Taint, ...] | None = ()
    if host.spec is not None and host.spec.taints is not None:
        taints = tuple(Taint(t.key, str(t.effect), t.value) for t in host.spec.taints) or None
    return NodeInputs(
        name=host.name,
        address=host.node_ip,
        cri_socket=_socket(env.get("SEALOS_SYS_CRI_ENDPOINT", "")),
        taints=taints,
    )


def _socket(value: str) -> str:
    if not value:
        return "unix:///run/containerd/containerd.sock"
    return value if "://" in value else f"unix://{value}"


def certificate_policy(view: ClusterView) -> CertificatePolicy:
    """What every leaf of the cluster shares."""
    spec = view.spec
    return CertificatePolicy(
        version=view.version,
        service_subnet=str(spec.network.service_subnet),
        dns_domain=str(spec.network.dns_domain),
        validity_seconds=int(duration(spec.certificates.validity).total_seconds()),
        ca_validity_seconds=int(duration(spec.certificates.ca_validity).total_seconds()),
        endpoint=str(spec.endpoint.domain),
    )


def node_identity(view: ClusterView, host: HostView) -> NodeIdentity:
    """The names in a master's certificates. They do not follow the list of masters: a new master changes nobody else's certificate."""
    sans = (*certificate_names(cluster_inputs(view)).api_server, host.node_ip, host.address)
    return NodeIdentity(host.name, host.node_ip, tuple(dict.fromkeys(sans)), first=_before_init(view, host))


def _before_init(view: ClusterView, host: HostView) -> bool:
    """kubelet.conf of the first master is a leaf of ours only until `kubeadm init` replaces it by one that rotates by itself."""
    if view.initialized or view.init_host is None or view.init_host.name != host.name:
        return False
    entry = host.facts.journal.get("kubeadm-init") if host.facts else None
    return entry is None or host.done("kubeadm-reset", entry.digest)
