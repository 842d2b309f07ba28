"""Condition types and the closed list of reasons, grouped under the condition that they usually turn False.

The three on top (Ready, Reconciling, Stalled) repeat the reason of what decided them. What each reason means and what
to do about it stands in `sealcluster.api.catalogue`.
"""

from enum import StrEnum


class ConditionType(StrEnum):
    """Conditions of a SealCluster, in the order in which status lists them."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    AVAILABLE = "Available"
    PAUSED = "Paused"
    DELETING = "Deleting"
    SPEC_VALID = "SpecValid"
    CREDENTIALS_VALID = "CredentialsValid"
    HOSTS_REACHABLE = "HostsReachable"
    PREFLIGHT_PASSED = "PreflightPassed"
    IMAGE_AVAILABLE = "ImageAvailable"
    REGISTRY_AVAILABLE = "RegistryAvailable"
    CONTROL_PLANE_INITIALIZED = "ControlPlaneInitialized"
    CONTROL_PLANE_HEALTHY = "ControlPlaneHealthy"
    ETCD_HEALTHY = "EtcdHealthy"
    WORKERS_READY = "WorkersReady"
    ENDPOINT_REACHABLE = "EndpointReachable"
    GUESTS_APPLIED = "GuestsApplied"
    CERTIFICATES_VALID = "CertificatesValid"
    DRIFTED = "Drifted"


class Reason(StrEnum):
    """Every reason that a condition, an event or a failure can carry; stable, tools may match on them."""

    # Ready and Available
    CLUSTER_READY = "ClusterReady"
    CONTROL_PLANE_SERVING = "ControlPlaneServing"

    # Reconciling
    INITIALIZING = "Initializing"
    PROVISIONING = "Provisioning"
    UPDATING = "Updating"
    PROGRESSING_WITH_RETRY = "ProgressingWithRetry"
    JOB_INTERRUPTED = "JobInterrupted"
    WAIT_TIMED_OUT = "WaitTimedOut"
    MANAGEMENT_UNAVAILABLE = "ManagementUnavailable"
    STORAGE_REFUSED = "StorageRefused"

    # Paused, Deleting
    PAUSED = "Paused"
    DELETING = "Deleting"
    HOST_NOT_CLEAN = "HostNotClean"
    LOST_HOST_NEEDS_ACKNOWLEDGEMENT = "LostHostNeedsAcknowledgement"

    # any condition that has nothing to tell
    AS_EXPECTED = "AsExpected"
    NOT_YET_OBSERVED = "NotYetObserved"

    # SpecValid
    INVALID_SPEC = "InvalidSpec"
    DUPLICATE_ADDRESS = "DuplicateAddress"
    UPGRADE_NOT_SUPPORTED = "UpgradeNotSupported"
    IMMUTABLE_FIELD = "ImmutableField"

    # CredentialsValid
    SECRET_MISSING = "SecretMissing"
    AUTHENTICATION_FAILED = "AuthenticationFailed"
    SUDO_FAILED = "SudoFailed"
    HOST_KEY_MISMATCH = "HostKeyMismatch"
    HOST_KEY_UNKNOWN = "HostKeyUnknown"

    # HostsReachable
    HOST_UNREACHABLE = "HostUnreachable"

    # PreflightPassed
    PREFLIGHT_FAILED = "PreflightFailed"
    CLOCK_SKEW = "ClockSkew"
    DUPLICATE_HOSTNAME = "DuplicateHostname"
    DUPLICATE_MACHINE_ID = "DuplicateMachineID"
    HOST_OF_ANOTHER_CLUSTER = "HostOfAnotherCluster"
    HOST_IDENTITY_CHANGED = "HostIdentityChanged"
    DISK_FULL = "DiskFull"
    LEFTOVERS_FOUND = "LeftoversFound"
    ARCH_MISMATCH = "ArchMismatch"
    CHECK_SCRIPT_FAILED = "CheckScriptFailed"

    # ImageAvailable
    UNSUPPORTED_IMAGE = "UnsupportedImage"
    IMAGE_NOT_FOUND = "ImageNotFound"
    IMAGE_PULL_FAILED = "ImagePullFailed"
    IMAGE_CORRUPT = "ImageCorrupt"
    TEMPLATE_FAILED = "TemplateFailed"

    # RegistryAvailable
    DISTRIBUTION_FAILED = "DistributionFailed"
    CONTAINER_IMAGE_PULL_FAILED = "ContainerImagePullFailed"
    SCRIPT_FAILED = "ScriptFailed"
    REGISTRY_FAILED = "RegistryFailed"

    # ControlPlaneInitialized
    PKI_MISSING = "PKIMissing"
    PKI_INVALID = "PKIInvalid"
    PKI_EXPIRED = "PKIExpired"
    STATE_UNREADABLE = "StateUnreadable"
    KUBEADM_INIT_FAILED = "KubeadmInitFailed"
    STATE_CONFLICT = "StateConflict"
    FENCED = "Fenced"

    # ControlPlaneHealthy, EtcdHealthy
    CONTROL_PLANE_UNHEALTHY = "ControlPlaneUnhealthy"
    API_SERVER_UNREACHABLE = "APIServerUnreachable"
    KUBEADM_JOIN_FAILED = "KubeadmJoinFailed"
    ETCD_UNHEALTHY = "EtcdUnhealthy"
    QUORUM_AT_RISK = "QuorumAtRisk"

    # WorkersReady, EndpointReachable
    NODES_NOT_READY = "NodesNotReady"
    NODE_NOT_FOUND = "NodeNotFound"
    NODE_REPLACED = "NodeReplaced"
    DRAIN_BLOCKED = "DrainBlocked"
    ENDPOINT_UNREACHABLE = "EndpointUnreachable"

    # GuestsApplied
    GUEST_FAILED = "GuestFailed"

    # CertificatesValid
    CERTIFICATE_FAILED = "CertificateFailed"
    CERTIFICATE_EXPIRING = "CertificateExpiring"

    # Drifted
    DRIFT_FOUND = "DriftFound"

    # ours
    INTERNAL_ERROR = "InternalError"
