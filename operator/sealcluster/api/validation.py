"""What neither schema nor CEL can say about a SealCluster: the operator reports it as SpecValid=False, the command line refuses it.

Everything wrong is listed, nothing is touched before the list is empty.
"""

import ipaddress
from collections.abc import Callable, Iterable, Iterator

from sealcluster.api.conditions import Reason
from sealcluster.api.durations import duration
from sealcluster.api.field_errors import FieldError
from sealcluster.api.network import LoadBalancer
from sealcluster.api.spec import SealClusterSpec
from sealcluster.api.validation_hosts import host_errors
from sealcluster.api.validation_images import image_errors
from sealcluster.api.validation_kubeadm import kubeadm_errors

_SERVICE_PREFIXES = range(12, 29)
"""kube-apiserver takes at most 2**20 Service addresses; kubeadm gives the tenth one to the cluster's DNS."""

_NODE_PREFIX = 24
"""Size of each node's share of the pod network, unless the user's kubeadm documents say otherwise."""


def validate(spec: SealClusterSpec) -> list[FieldError]:
    """Everything that is wrong with a spec that the schema accepted, in the order of its fields."""
    checks: tuple[Callable[[SealClusterSpec], Iterable[FieldError]], ...] = (
        image_errors,
        host_errors,
        _network_errors,
        _endpoint_errors,
        kubeadm_errors,
        _certificate_errors,
    )
    return [error for check in checks for error in check(spec)]


def validate_rootfs(spec: SealClusterSpec, image: str, recorded: str, wanted: str) -> list[FieldError]:
    """Refuse another root file system on a running cluster.

    `image` is the name in spec.images of the rootfs that is wanted now, `recorded` and `wanted` are digests of the one
    that the cluster was made from (empty before that) and of this one.
    """
    if not recorded or recorded == wanted:
        return []
    index = next((number for number, entry in enumerate(spec.images) if entry.name == image), 0)
    return [
        FieldError(
            f"spec.images[{index}].ref",
            f"the cluster runs the root file system {recorded}, this is {wanted}: upgrades are not supported yet, "
            "put the previous image back",
            Reason.UPGRADE_NOT_SUPPORTED,
        )
    ]


def _network_errors(spec: SealClusterSpec) -> Iterator[FieldError]:
    services = ipaddress.IPv4Network(spec.network.service_subnet)
    if services.prefixlen not in _SERVICE_PREFIXES:
        yield FieldError("spec.network.serviceSubnet", "must be a network between /12 and /28")
    pods = ipaddress.IPv4Network(spec.network.pod_subnet)
    sized = "node-cidr-mask-size" in str(spec.kubeadm.cluster.get("controllerManager", ""))
    if not sized and 2 ** (_NODE_PREFIX - pods.prefixlen) < len(spec.hosts):
        yield FieldError(
            "spec.network.podSubnet",
            f"has room for {int(2 ** (_NODE_PREFIX - pods.prefixlen))} nodes with a /{_NODE_PREFIX} each, {len(spec.hosts)} are wanted: "
            "choose a larger network, or set node-cidr-mask-size in spec.kubeadm.cluster.controllerManager.extraArgs",
        )


def _endpoint_errors(spec: SealClusterSpec) -> Iterator[FieldError]:
    endpoint, registry = spec.endpoint, spec.registry
    if endpoint.domain == registry.domain:
        yield FieldError("spec.registry.domain", "is also spec.endpoint.domain: choose two different names")
    if endpoint.port == registry.port:
        yield FieldError("spec.registry.port", "is also spec.endpoint.port: choose two different ports")
    default = type(endpoint)().vip
    if endpoint.load_balancer is LoadBalancer.EXTERNAL and endpoint.vip == default:
        yield FieldError("spec.endpoint.vip", "must be the address of your load balancer when spec.endpoint.loadBalancer is External")


def _certificate_errors(spec: SealClusterSpec) -> Iterator[FieldError]:
    certificates = spec.certificates
    if duration(certificates.validity) > duration(certificates.ca_validity):
        yield FieldError("spec.certificates.validity", "is longer than caValidity: a certificate cannot outlive its authority")
