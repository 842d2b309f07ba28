"""One machine of the cluster."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from sealcluster.api.base import ApiModel, Rule
from sealcluster.api.scalars import Env, HostName, IPv4, Labels, Port, unique
from sealcluster.api.ssh import SSHOverride


class Role(StrEnum):
    """What a host is in the cluster."""

    MASTER = "master"
    NODE = "node"
    REGISTRY = "registry"


class TaintEffect(StrEnum):
    """What a taint does to pods that do not tolerate it."""

    NO_SCHEDULE = "NoSchedule"
    PREFER_NO_SCHEDULE = "PreferNoSchedule"
    NO_EXECUTE = "NoExecute"


class Taint(ApiModel):
    """A taint of the Node."""

    key: Annotated[str, StringConstraints(min_length=1, max_length=316)]
    """Name of the taint, such as dedicated or example.com/dedicated."""

    value: Annotated[str, StringConstraints(max_length=63)] = ""
    """Value of the taint; may be empty."""

    effect: TaintEffect
    """What happens to pods that do not tolerate it."""


def _distinct(roles: tuple[Role, ...]) -> tuple[Role, ...]:
    if not unique(roles):
        raise ValueError("lists a role twice")
    return roles


Roles = Annotated[
    tuple[Role, ...],
    Field(min_length=1, max_length=2, json_schema_extra={"x-kubernetes-list-type": "set"}),
    AfterValidator(_distinct),
]
"""Roles of a host, none of them twice."""


class Host(ApiModel):
    """One machine: how to reach it and what it shall be."""

    # a row has one owner under server-side apply: a record of who owns each field of 2,000 rows would take 300 KB
    model_config = ConfigDict(json_schema_extra={"x-kubernetes-map-type": "atomic"})

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="self.roles.exists_one(r, r == 'master' || r == 'node')",
            holds=lambda host: (Role.MASTER in host.roles) != (Role.NODE in host.roles),
            message="needs exactly one of master and node; registry only in addition to one of them",
            field="roles",
        ),
    )

    name: HostName
    """Name of the host here and of its Node in the cluster; never used twice."""

    address: IPv4
    """IPv4 address at which the operator reaches the host over SSH."""

    node_ip: IPv4 | None = Field(default=None)
    """IPv4 address at which the other hosts reach it and which its kubelet registers; default: address."""

    roles: Roles
    """master or node, and registry in addition where the cluster's registry shall run (default: the first master)."""

    port: Port | None = None
    """Port of its SSH server; default: spec.ssh.port."""

    ssh: SSHOverride | None = None
    """What is different about SSH for this host."""

    env: Env = Field(default={})
    """Environment of templates and scripts on this host; wins over spec.env and over the image's own."""

    labels: Labels = Field(default={})
    """Labels of the Node."""

    taints: Annotated[tuple[Taint, ...], Field(max_length=32)] | None = None
    """Taints of the Node. Absent: what kubeadm does, so masters are tainted, unless the cluster has only one host.
    An empty list: none."""

    @property
    def is_master(self) -> bool:
        """True for a control-plane host."""
        return Role.MASTER in self.roles

    @property
    def internal_ip(self) -> str:
        """Address at which other hosts reach this one."""
        return self.node_ip or self.address
