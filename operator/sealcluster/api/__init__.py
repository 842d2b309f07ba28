"""The SealCluster API: models, conditions and their reasons, validation and the generated CRD. Pydantic and stdlib only."""

from sealcluster.api.base import ApiModel
from sealcluster.api.cluster import (
    ACKNOWLEDGE_LOST_ANNOTATION,
    API_VERSION,
    FINALIZER,
    GROUP,
    KIND,
    PLURAL,
    RETRY_ANNOTATION,
    VERSION,
    Metadata,
    SealCluster,
)
from sealcluster.api.durations import duration
from sealcluster.api.hosts import Host, Role, Taint, TaintEffect
from sealcluster.api.images import ClusterImage, ConfigFile, ConfigSource, ConfigStrategy
from sealcluster.api.kubeadm import KubeadmDocuments
from sealcluster.api.lifecycle import Certificates, DeletionPolicy, Drain, Rollout
from sealcluster.api.network import Distribution, Endpoint, LoadBalancer, Network, ProxyMode, Registry
from sealcluster.api.references import KeyRef, SecretRef
from sealcluster.api.spec import MAX_HOSTS, SealClusterSpec
from sealcluster.api.ssh import (
    Bastion,
    Become,
    BecomeMethod,
    HostKeyPolicy,
    HostKeys,
    SSHOverride,
    SSHSettings,
)
from sealcluster.api.status import (
    MAX_PLAN_STEPS,
    CertificateExpiry,
    Condition,
    ConditionStatus,
    Failure,
    HostState,
    HostStatus,
    NodeCounts,
    PlanStatus,
    PlanStep,
    Progress,
    SealClusterStatus,
)

__all__ = [
    "ACKNOWLEDGE_LOST_ANNOTATION",
    "API_VERSION",
    "FINALIZER",
    "GROUP",
    "KIND",
    "MAX_HOSTS",
    "MAX_PLAN_STEPS",
    "PLURAL",
    "RETRY_ANNOTATION",
    "VERSION",
    "ApiModel",
    "Bastion",
    "Become",
    "BecomeMethod",
    "CertificateExpiry",
    "Certificates",
    "ClusterImage",
    "Condition",
    "ConditionStatus",
    "ConfigFile",
    "ConfigSource",
    "ConfigStrategy",
    "DeletionPolicy",
    "Distribution",
    "Drain",
    "Endpoint",
    "Failure",
    "Host",
    "HostKeyPolicy",
    "HostKeys",
    "HostState",
    "HostStatus",
    "KeyRef",
    "KubeadmDocuments",
    "LoadBalancer",
    "Metadata",
    "Network",
    "NodeCounts",
    "PlanStatus",
    "PlanStep",
    "Progress",
    "ProxyMode",
    "Registry",
    "Role",
    "Rollout",
    "SSHOverride",
    "SSHSettings",
    "SealCluster",
    "SealClusterSpec",
    "SealClusterStatus",
    "SecretRef",
    "Taint",
    "TaintEffect",
    "duration",
]
