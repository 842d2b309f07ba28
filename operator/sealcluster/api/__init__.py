"""The SealCluster API: models, conditions and their reasons, validation and the generated CRD. Pydantic and stdlib only."""

from sealcluster.api.base import ApiModel
from sealcluster.api.catalogue import CATALOGUE, Nature, Scope, hint, is_terminal
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
from sealcluster.api.compact import compact
from sealcluster.api.conditions import ConditionType, Reason
from sealcluster.api.durations import duration
from sealcluster.api.field_errors import FieldError, InvalidSealCluster
from sealcluster.api.hosts import Host, Role, Taint, TaintEffect
from sealcluster.api.images import ClusterImage, ConfigFile, ConfigSource, ConfigStrategy
from sealcluster.api.kubeadm import KubeadmDocuments
from sealcluster.api.lifecycle import Certificates, DeletionPolicy, Drain, Rollout
from sealcluster.api.network import Distribution, Endpoint, LoadBalancer, Network, ProxyMode, Registry
from sealcluster.api.parsing import parse
from sealcluster.api.references import KeyRef, SecretRef
from sealcluster.api.scalars import MAX_HOSTS
from sealcluster.api.spec import SealClusterSpec
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
    PhaseStart,
    PlanStatus,
    PlanStep,
    Progress,
    SealClusterStatus,
)
from sealcluster.api.summary import Account, Finding, Note, begin, phase_word, set_conditions, summarize, timestamp
from sealcluster.api.validation import validate, validate_rootfs
from sealcluster.api.validation_change import made_from, validate_change

__all__ = [
    "ACKNOWLEDGE_LOST_ANNOTATION",
    "API_VERSION",
    "CATALOGUE",
    "FINALIZER",
    "GROUP",
    "KIND",
    "MAX_HOSTS",
    "MAX_PLAN_STEPS",
    "PLURAL",
    "RETRY_ANNOTATION",
    "VERSION",
    "Account",
    "ApiModel",
    "Bastion",
    "Become",
    "BecomeMethod",
    "CertificateExpiry",
    "Certificates",
    "ClusterImage",
    "Condition",
    "ConditionStatus",
    "ConditionType",
    "ConfigFile",
    "ConfigSource",
    "ConfigStrategy",
    "DeletionPolicy",
    "Distribution",
    "Drain",
    "Endpoint",
    "Failure",
    "FieldError",
    "Finding",
    "Host",
    "HostKeyPolicy",
    "HostKeys",
    "HostState",
    "HostStatus",
    "InvalidSealCluster",
    "KeyRef",
    "KubeadmDocuments",
    "LoadBalancer",
    "Metadata",
    "Nature",
    "Network",
    "NodeCounts",
    "Note",
    "PhaseStart",
    "PlanStatus",
    "PlanStep",
    "Progress",
    "ProxyMode",
    "Reason",
    "Registry",
    "Role",
    "Rollout",
    "SSHOverride",
    "SSHSettings",
    "Scope",
    "SealCluster",
    "SealClusterSpec",
    "SealClusterStatus",
    "SecretRef",
    "Taint",
    "TaintEffect",
    "begin",
    "compact",
    "duration",
    "hint",
    "is_terminal",
    "made_from",
    "parse",
    "phase_word",
    "set_conditions",
    "summarize",
    "timestamp",
    "validate",
    "validate_change",
    "validate_rootfs",
]
