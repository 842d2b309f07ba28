"""Which balancer a worker uses towards the masters, chosen by fact, and whether it was seen to answer. Pure."""

from __future__ import annotations

from sealcluster.api import SealClusterSpec
from sealcluster.core.errors import TerminalError
from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.environment import host_env
from sealcluster.render.expand import expand

LVSCARE, HAPROXY, EXTERNAL = "lvscare", "haproxy", "External"
LVSCARE_MANIFEST = "kube-sealos-lvscare.yaml"
HAPROXY_MANIFEST = "kube-sealcluster-haproxy.yaml"


def balancer(view: ClusterView, host: HostView) -> str:
    """`Auto`: lvscare where the kernel has IPVS and an image provides lvscare, else haproxy."""
    wanted = str(view.spec.endpoint.load_balancer)
    if wanted != "Auto":
        return wanted
    has_image = any("image" in i.labels for i in view.images_for(host))
    return LVSCARE if host.facts is not None and host.facts.ipvs and has_image else HAPROXY


def balancer_target(view: ClusterView, host: HostView) -> tuple[str, int]:
    """(address, port) that answers on the worker when its balancer works."""
    port = int(view.spec.endpoint.port)
    return (str(view.spec.endpoint.vip), port) if balancer(view, host) != HAPROXY else ("127.0.0.1", port)


def balancer_targets(spec: SealClusterSpec) -> tuple[tuple[str, int], ...]:
    """All that a worker's balancer may answer on: what to probe before it is known which one the worker has."""
    if str(spec.endpoint.load_balancer) == EXTERNAL:
        return ()
    port = int(spec.endpoint.port)
    return (("127.0.0.1", port), (str(spec.endpoint.vip), port))


def balancer_answers(view: ClusterView, host: HostView) -> bool:
    """True when the worker reached the API through its own balancer at the last look."""
    if host.facts is None:
        return False
    manifest = LVSCARE_MANIFEST if balancer(view, host) == LVSCARE else HAPROXY_MANIFEST
    return manifest in host.facts.manifests and balancer_target(view, host) in host.facts.answers


def balancer_image(view: ClusterView, host: HostView) -> str:
    """Container image of the balancer: the spec's, the lvscare label's, or haproxy of the cluster's own registry."""
    if view.spec.endpoint.load_balancer_image:
        return str(view.spec.endpoint.load_balancer_image)
    if balancer(view, host) == LVSCARE:
        labelled = [i.labels["image"] for i in view.images_for(host) if "image" in i.labels]
        if not labelled:
            raise TerminalError(
                "choosing the workers' balancer: spec.endpoint.loadBalancer is lvscare, and no cluster image names one in its label image",
                reason="InvalidSpec",
                hint="set spec.endpoint.loadBalancerImage, or spec.endpoint.loadBalancer: Auto",
            )
        return expand(labelled[-1], host_env(view, host))
    registry = f"{view.spec.registry.domain}:{view.spec.registry.port}"
    tags = [t for i in view.images_for(host) for t in _haproxy_tags(i.registry.links)]
    return f"{registry}/{tags[-1] if tags else 'haproxy:latest'}"


def _haproxy_tags(links: tuple[tuple[str, str], ...]) -> list[str]:
    """``haproxy:<tag>`` for every tag of a repository named haproxy in a registry tree."""
    found = []
    for path, _ in links:
        fields = path.split("/")
        if "_manifests" in fields and fields[-2:] == ["current", "link"]:
            at = fields.index("_manifests")
            if fields[at - 1] == "haproxy":
                repository = "/".join(fields[fields.index("repositories") + 1 : at])
                found.append(f"{repository}:{fields[at + 2]}")
    return sorted(found)
