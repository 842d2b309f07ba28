"""Addresses and names inside the cluster."""

from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

from sealcluster.api.base import ApiModel, Immutable
from sealcluster.api.scalars import DnsName, IPv4, IPv4Subnet, Port

_RUNNING = "it is built into the running cluster; delete the SealCluster and create a new one"


class ProxyMode(StrEnum):
    """How kube-proxy programs Services."""

    AUTO = "Auto"
    IPVS = "ipvs"
    NFTABLES = "nftables"
    IPTABLES = "iptables"


class LoadBalancer(StrEnum):
    """What balances a worker's traffic to the masters' API servers."""

    AUTO = "Auto"
    LVSCARE = "lvscare"
    HAPROXY = "haproxy"
    EXTERNAL = "External"


class Distribution(StrEnum):
    """How the image's registry content reaches the registry host."""

    SYNC = "Sync"
    COPY = "Copy"


class Network(ApiModel):
    """Networks of pods and Services."""

    pod_subnet: Annotated[IPv4Subnet, Immutable(_RUNNING)] = "100.64.0.0/10"
    """Network of the pods."""

    service_subnet: Annotated[IPv4Subnet, Immutable(_RUNNING)] = "10.96.0.0/22"
    """Network of the Services."""

    dns_domain: Annotated[DnsName, Immutable(_RUNNING)] = "cluster.local"
    """DNS domain of the Services."""

    proxy_mode: Annotated[ProxyMode, Immutable(_RUNNING)] = ProxyMode.AUTO
    """Mode of kube-proxy. Auto: ipvs where the kernel has it and Kubernetes is older than 1.35, else iptables."""


class Endpoint(ApiModel):
    """Where the control plane is reached from inside the cluster."""

    domain: Annotated[DnsName, Immutable(_RUNNING)] = "apiserver.cluster.local"
    """Name of the control plane; every host resolves it in /etc/hosts."""

    port: Annotated[Port, Immutable(_RUNNING)] = 6443
    """Port of the API servers, and of everything that leads to them: with loadBalancer External that balancer listens on it, too."""

    vip: Annotated[IPv4, Immutable(_RUNNING)] = "10.103.97.2"
    """Virtual address that workers balance over the masters; with loadBalancer External the address of that balancer."""

    load_balancer: LoadBalancer = LoadBalancer.AUTO
    """Auto: lvscare where the kernel has IPVS and an image brings lvscare, else haproxy. External: somebody else's."""

    load_balancer_image: Annotated[str, StringConstraints(min_length=1, max_length=1024)] | None = None
    """Image of the balancer's static pod; default: the one that the cluster images bring."""


class Registry(ApiModel):
    """The registry that the cluster's hosts pull from."""

    domain: Annotated[DnsName, Immutable(_RUNNING)] = "sealos.hub"
    """Name of the registry; every host resolves it in /etc/hosts."""

    port: Annotated[Port, Immutable(_RUNNING)] = 5000
    """Port of the registry."""

    distribution: Distribution = Distribution.SYNC
    """Sync sends what the registry lacks, blob by blob; Copy sends the directory over SSH."""
