"""The SealCluster object."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from sealcluster.api.base import ApiModel
from sealcluster.api.scalars import DNS_LABEL_PATTERN
from sealcluster.api.spec import SealClusterSpec
from sealcluster.api.status import SealClusterStatus

GROUP = "sealcluster.io"
VERSION = "v1alpha1"
KIND = "SealCluster"
PLURAL = "sealclusters"
API_VERSION: Literal["sealcluster.io/v1alpha1"] = "sealcluster.io/v1alpha1"

RETRY_ANNOTATION = f"{GROUP}/retry"
"""A new value asks for another look at a stalled cluster; the handled one is kept in status.lastHandledRetryAt."""

ACKNOWLEDGE_LOST_ANNOTATION = f"{GROUP}/acknowledge-lost"
"""`<host>=<machine-id>`: the host is gone for good and may be forgotten without being cleaned."""

ARGOCD_LABEL = f"{GROUP}/argocd"
"""`true`: register the cluster in Argo CD once it is Ready, where the operator is set up for that."""

FINALIZER = f"{GROUP}/finalizer"
"""Holds a SealCluster, its state and its PKI until the last host is released."""


class Metadata(ApiModel):
    """The part of the object's metadata that is used here; the rest is kept out of sight."""

    model_config = ConfigDict(extra="ignore")

    name: Annotated[str, StringConstraints(pattern=DNS_LABEL_PATTERN, max_length=63)]
    """Name of the cluster; Secrets and files are named after it."""

    namespace: str | None = None
    """Namespace; absent in a file for the command line."""

    uid: str | None = None
    """Given by the API server; absent in a file."""

    generation: int | None = None
    """Counts changes of the spec; absent in a file."""

    resource_version: str | None = None
    """Version of the whole object; absent in a file."""

    deletion_timestamp: str | None = None
    """Set once deletion was asked for."""

    annotations: Mapping[str, str] = Field(default={})
    """Annotations of the object."""

    labels: Mapping[str, str] = Field(default={})
    """Labels of the object."""

    finalizers: tuple[str, ...] = ()
    """What holds the object."""


class SealCluster(ApiModel):
    """A Kubernetes cluster made of bare machines and sealos cluster images."""

    api_version: Literal["sealcluster.io/v1alpha1"] = API_VERSION
    """Version of this API."""

    kind: Literal["SealCluster"] = "SealCluster"
    """Kind of the object."""

    metadata: Metadata
    """Name and the like."""

    spec: SealClusterSpec
    """The wish."""

    status: SealClusterStatus = SealClusterStatus()
    """What the operator saw."""

    @property
    def name(self) -> str:
        """Name of the cluster."""
        return self.metadata.name

    @property
    def deleting(self) -> bool:
        """True once deletion was asked for."""
        return self.metadata.deletion_timestamp is not None
