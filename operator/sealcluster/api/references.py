"""References from a SealCluster to Secrets and ConfigMaps; always in its own namespace."""

from sealcluster.api.base import ApiModel
from sealcluster.api.scalars import ObjectName, SecretKey


class SecretRef(ApiModel):
    """A whole Secret."""

    name: ObjectName
    """Name of a Secret in the namespace of the SealCluster."""


class KeyRef(ApiModel):
    """One key of a Secret or ConfigMap."""

    name: ObjectName
    """Name of the object in the namespace of the SealCluster."""

    key: SecretKey
    """Key inside the object."""
