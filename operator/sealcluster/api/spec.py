"""The wish: everything a person writes into a SealCluster."""

import ipaddress
from typing import Annotated, ClassVar

from pydantic import Field

from sealcluster.api.base import ApiModel, Rule
from sealcluster.api.hosts import Host, Role
from sealcluster.api.images import ClusterImage, ConfigFile
from sealcluster.api.kubeadm import KubeadmDocuments
from sealcluster.api.lifecycle import Certificates, DeletionPolicy, Rollout
from sealcluster.api.network import Endpoint, Network, Registry
from sealcluster.api.references import SecretRef
from sealcluster.api.scalars import MAX_HOSTS, Env, Flag, unique, unique_by
from sealcluster.api.ssh import SSHSettings, effective_ssh


def _disjoint(first: str, second: str) -> bool:
    return not ipaddress.ip_network(first).overlaps(ipaddress.ip_network(second))


def _outside(address: str, subnet: str) -> bool:
    return ipaddress.ip_address(address) not in ipaddress.ip_network(subnet)


def _vip_rule(subnet: str, attribute: str) -> Rule:
    return Rule(
        cel=f"!isCIDR(self.network.{subnet}) || !isIP(self.endpoint.vip) || !cidr(self.network.{subnet}).containsIP(self.endpoint.vip)",
        holds=lambda spec: _outside(spec.endpoint.vip, getattr(spec.network, attribute)),
        message=f"lies inside network.{subnet}: choose an address outside of it",
        field="endpoint.vip",
    )


class SealClusterSpec(ApiModel):
    """The wish: machines, images and how they shall be put together."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="self.hosts.exists(h, 'master' in h.roles)",
            holds=lambda spec: any(Role.MASTER in host.roles for host in spec.hosts),
            message="needs at least one host with the role master",
            field="hosts",
        ),
        Rule(
            cel="self.images.all(i, self.images.exists_one(j, j.name == i.name))",
            holds=lambda spec: unique(image.name for image in spec.images),
            message="uses a name twice: each image needs its own",
            field="images",
        ),
        Rule(
            cel="!isCIDR(self.network.podSubnet) || !isCIDR(self.network.serviceSubnet)"
            " || !(cidr(self.network.podSubnet).containsIP(cidr(self.network.serviceSubnet).ip())"
            " || cidr(self.network.serviceSubnet).containsIP(cidr(self.network.podSubnet).ip()))",
            holds=lambda spec: _disjoint(spec.network.pod_subnet, spec.network.service_subnet),
            message="overlaps network.podSubnet: choose networks that do not overlap",
            field="network.serviceSubnet",
        ),
        _vip_rule("podSubnet", "pod_subnet"),
        _vip_rule("serviceSubnet", "service_subnet"),
    )

    images: Annotated[tuple[ClusterImage, ...], Field(min_length=1, max_length=64)]
    """Cluster images in the order in which they are applied; exactly one of them holds the root file system."""

    pull_secret_refs: Annotated[tuple[SecretRef, ...], Field(max_length=16)] = ()
    """Secrets of type kubernetes.io/dockerconfigjson for the registries of the images."""

    hosts: Annotated[tuple[Host, ...], Field(min_length=1, max_length=MAX_HOSTS), *unique_by("name", "name")]
    """The machines. The list is the truth: a new row joins, a removed row is drained, leaves and is cleaned."""

    ssh: SSHSettings = SSHSettings()
    """How the hosts are reached."""

    env: Env = Field(default={})
    """Environment of templates and scripts on every host; wins over the images' own, is overruled by the host's."""

    configs: Annotated[tuple[ConfigFile, ...], Field(max_length=128)] = ()
    """Changes to files of the images, in order."""

    network: Network = Network()
    """Networks of pods and Services."""

    endpoint: Endpoint = Endpoint()
    """Where the control plane is reached."""

    registry: Registry = Registry()
    """The registry of the cluster."""

    kubeadm: KubeadmDocuments = KubeadmDocuments()
    """The user's own kubeadm documents."""

    certificates: Certificates = Certificates()
    """Certificates of the control plane."""

    rollout: Rollout = Rollout()
    """How fast things change."""

    deletion_policy: DeletionPolicy = DeletionPolicy.RETAIN
    """Retain leaves the machines as they are when the SealCluster is deleted; Reset cleans them."""

    paused: Flag = False
    """Stops every change by the operator, deletion included."""

    def masters(self) -> tuple[Host, ...]:
        """Control-plane hosts in the order of the list."""
        return tuple(host for host in self.hosts if host.is_master)

    def workers(self) -> tuple[Host, ...]:
        """Hosts that are no masters, in the order of the list."""
        return tuple(host for host in self.hosts if not host.is_master)

    def registry_hosts(self) -> tuple[Host, ...]:
        """Hosts that run the registry: those with the role, else the first master."""
        return tuple(host for host in self.hosts if Role.REGISTRY in host.roles) or self.masters()[:1]

    def host(self, name: str) -> Host | None:
        """The host of that name, if the list has it."""
        return next((host for host in self.hosts if host.name == name), None)

    def ssh_settings(self, host: Host) -> SSHSettings:
        """SSH settings that hold for one host: spec.ssh with what the host says differently."""
        return effective_ssh(self.ssh, host.ssh, host.port)
