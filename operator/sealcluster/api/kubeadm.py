"""The user's own kubeadm, kubelet and kube-proxy documents, merged over the defaults."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from sealcluster.api.base import ApiModel

Document = Annotated[Mapping[str, Any], Field(json_schema_extra={"x-kubernetes-preserve-unknown-fields": True})]
"""A free-form Kubernetes document."""


class KubeadmDocuments(ApiModel):
    """Parts of kubeadm's configuration; each may carry its own apiVersion (v1beta3 and v1beta4 are converted).

    Tokens and keys in them are refused: bootstrap tokens and certificate keys are made by the operator.
    """

    cluster: Document = Field(default={})
    """ClusterConfiguration."""

    init: Document = Field(default={})
    """InitConfiguration, for the first master."""

    join: Document = Field(default={})
    """JoinConfiguration, for every other host."""

    kubelet: Document = Field(default={})
    """KubeletConfiguration."""

    kube_proxy: Document = Field(default={})
    """KubeProxyConfiguration."""
