"""What each reason means, whom it concerns, whether trying again can help and what a person can do."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from sealcluster.api.conditions import ConditionType as C
from sealcluster.api.conditions import Reason


class Nature(StrEnum):
    """What a reason means for the course of things."""

    NORMAL = "normal"
    """Nothing is wrong."""

    TRANSIENT = "transient"
    """Trying again can help: Reconciling stays True."""

    TERMINAL = "terminal"
    """The same inputs fail again: Stalled, until a person or the world changes something."""

    DEGRADED = "degraded"
    """Everything was applied, yet something is not healthy now: neither Reconciling nor Stalled."""


class Scope(StrEnum):
    """Whom a reason concerns."""

    CLUSTER = "cluster"
    """Everybody waits."""

    HOST = "host"
    """This host is left out, the others go on."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One reason of the catalogue."""

    condition: C
    """Condition that it is reported in, besides the three on top."""

    nature: Nature
    scope: Scope

    cause: str
    """What happened, for somebody who reads it for the first time."""

    cure: str
    """What to do; empty when there is nothing to do."""


def _normal(condition: C, cause: str, cure: str = "") -> Entry:
    return Entry(condition, Nature.NORMAL, Scope.CLUSTER, cause, cure)


def _cluster(condition: C, nature: Nature, cause: str, cure: str) -> Entry:
    return Entry(condition, nature, Scope.CLUSTER, cause, cure)


def _host(condition: C, nature: Nature, cause: str, cure: str) -> Entry:
    return Entry(condition, nature, Scope.HOST, cause, cure)


_AGAIN, _PERSON, _DEGRADED = Nature.TRANSIENT, Nature.TERMINAL, Nature.DEGRADED

CATALOGUE: Mapping[Reason, Entry] = MappingProxyType(
    {
        Reason.CLUSTER_READY: _normal(C.READY, "Everything in spec is applied and was seen healthy."),
        Reason.CONTROL_PLANE_SERVING: _normal(C.AVAILABLE, "The cluster's API answers."),
        Reason.INITIALIZING: _normal(C.RECONCILING, "This generation of the spec has just been seen."),
        Reason.PROVISIONING: _normal(C.RECONCILING, "The cluster is being created."),
        Reason.UPDATING: _normal(C.RECONCILING, "A change of the spec, or a repair, is being applied to the running cluster."),
        Reason.PROGRESSING_WITH_RETRY: _cluster(
            C.RECONCILING,
            _AGAIN,
            "A step failed in a way that trying again can heal.",
            "Nothing, as long as the attempts are few; the message says what fails and when the next attempt comes.",
        ),
        Reason.PAUSED: _normal(C.PAUSED, "spec.paused is true: nothing is changed, not even for a deletion.", "Set spec.paused to false."),
        Reason.DELETING: _normal(C.DELETING, "The SealCluster is being deleted as spec.deletionPolicy says."),
        Reason.HOST_NOT_CLEAN: _host(
            C.DELETING,
            _PERSON,
            "Something of the cluster is still on the host after it was cleaned.",
            "Look at what the message lists, remove it on the host, then ask for a retry.",
        ),
        Reason.LOST_HOST_NEEDS_ACKNOWLEDGEMENT: _host(
            C.DELETING,
            _PERSON,
            "A host that has to be cleaned cannot be reached.",
            "Bring it back, or, if it is gone for good, annotate the SealCluster with "
            "sealcluster.io/acknowledge-lost: <host>=<machine-id>.",
        ),
        Reason.AS_EXPECTED: _normal(C.READY, "There is nothing to report."),
        Reason.NOT_YET_OBSERVED: _normal(C.READY, "This has not been looked at yet."),
        Reason.INVALID_SPEC: _cluster(
            C.SPEC_VALID,
            _PERSON,
            "The spec contradicts itself or asks for what is not supported.",
            "Change the fields that the message names.",
        ),
        Reason.DUPLICATE_ADDRESS: _cluster(
            C.SPEC_VALID, _PERSON, "Two hosts have the same address.", "Give each host its own address; the message names them."
        ),
        Reason.UPGRADE_NOT_SUPPORTED: _cluster(
            C.SPEC_VALID,
            _PERSON,
            "The root file system image of a running cluster was changed; upgrades are not supported yet.",
            "Put the previous image back into spec.images; nothing has been touched.",
        ),
        Reason.IMMUTABLE_FIELD: _cluster(
            C.SPEC_VALID,
            _PERSON,
            "A field was changed that is built into the running cluster.",
            "Put the previous value back, or delete the SealCluster and create a new one.",
        ),
        Reason.SECRET_MISSING: _cluster(
            C.CREDENTIALS_VALID,
            _PERSON,
            "A Secret or ConfigMap, or a key in it, that the spec refers to does not exist.",
            "Create it in the namespace of the SealCluster; the message names object and key.",
        ),
        Reason.AUTHENTICATION_FAILED: _host(
            C.CREDENTIALS_VALID,
            _PERSON,
            "The host refused user, key or password.",
            "Correct ssh.user or the credentials Secret, or authorise the key on the host. The same Secret is not tried again at once.",
        ),
        Reason.SUDO_FAILED: _host(
            C.CREDENTIALS_VALID,
            _PERSON,
            "Login works, becoming root does not.",
            "Allow sudo for the user, or put its password into the key become-password of the credentials Secret.",
        ),
        Reason.HOST_KEY_MISMATCH: _host(
            C.CREDENTIALS_VALID,
            _PERSON,
            "The host shows another SSH key than the one recorded or listed for it: it was reinstalled, or somebody is in between.",
            "Find out which. If the new key is right, list it in ssh.hostKeys.knownHostsSecretRef.",
        ),
        Reason.HOST_KEY_UNKNOWN: _host(
            C.CREDENTIALS_VALID,
            _PERSON,
            "Nobody has vouched for the host's SSH key and the policy is Strict.",
            "List the key in ssh.hostKeys.knownHostsSecretRef after comparing the fingerprint, or choose the policy TrustOnFirstUse.",
        ),
        Reason.HOST_UNREACHABLE: _host(
            C.HOSTS_REACHABLE,
            _AGAIN,
            "No SSH connection to the host can be made, or it was lost.",
            "Check that the machine runs, address and port, and the firewalls in between; it is tried again all the time.",
        ),
        Reason.PREFLIGHT_FAILED: _host(
            C.PREFLIGHT_PASSED,
            _PERSON,
            "The host does not meet what the cluster needs.",
            "`sealcluster preflight` lists every check with value, limit and fix.",
        ),
        Reason.CLOCK_SKEW: _host(
            C.PREFLIGHT_PASSED,
            _PERSON,
            "The host's clock is too far from those of the other hosts.",
            "Set the clock and run a time service such as chrony.",
        ),
        Reason.DUPLICATE_HOSTNAME: _cluster(
            C.PREFLIGHT_PASSED, _PERSON, "Two hosts have the same hostname.", "Rename one: hostnamectl set-hostname NAME."
        ),
        Reason.DUPLICATE_MACHINE_ID: _cluster(
            C.PREFLIGHT_PASSED,
            _PERSON,
            "Two hosts have the same /etc/machine-id: clones of one disk, or one machine listed twice.",
            "On a clone: rm /etc/machine-id && systemd-machine-id-setup, then reboot.",
        ),
        Reason.HOST_OF_ANOTHER_CLUSTER: _host(
            C.PREFLIGHT_PASSED,
            _PERSON,
            "The host belongs to another SealCluster.",
            "Remove it there first, or take the right address; nothing was touched on it.",
        ),
        Reason.DISK_FULL: _host(
            C.PREFLIGHT_PASSED, _PERSON, "The host has too little disk space left.", "Free space on the file system that the message names."
        ),
        Reason.LEFTOVERS_FOUND: _host(
            C.PREFLIGHT_PASSED,
            _PERSON,
            "The host carries parts of another Kubernetes installation.",
            "Clean it (kubeadm reset, remove what the message lists) or take a fresh machine.",
        ),
        Reason.ARCH_MISMATCH: _host(
            C.PREFLIGHT_PASSED,
            _PERSON,
            "An image does not exist for the host's architecture.",
            "Use an image for that architecture or another machine.",
        ),
        Reason.UNSUPPORTED_IMAGE: _cluster(
            C.IMAGE_AVAILABLE,
            _PERSON,
            "An image is not a sealos cluster image of the containerd flavour, or not exactly one holds a root file system.",
            "Use a supported image; the message says what is not.",
        ),
        Reason.IMAGE_NOT_FOUND: _cluster(
            C.IMAGE_AVAILABLE,
            _PERSON,
            "The registry does not have the image, or the file does not exist.",
            "Correct the reference in spec.images, or push the image.",
        ),
        Reason.IMAGE_PULL_FAILED: _cluster(
            C.IMAGE_AVAILABLE,
            _AGAIN,
            "The image could not be fetched.",
            "Check that the registry answers from where the operator runs and that spec.pullSecretRefs are right.",
        ),
        Reason.IMAGE_CORRUPT: _cluster(
            C.IMAGE_AVAILABLE,
            _PERSON,
            "Content of the image does not match its digest, or its archive is not safe to unpack.",
            "Push or copy the image again; do not use it as it is.",
        ),
        Reason.TEMPLATE_FAILED: _cluster(
            C.IMAGE_AVAILABLE,
            _PERSON,
            "A template of an image, or a config, cannot be rendered.",
            "Correct the config, or the value in env that the message names together with file and line.",
        ),
        Reason.SCRIPT_FAILED: _host(
            C.PREFLIGHT_PASSED,
            _AGAIN,
            "A script of the image failed on the host.",
            "Read its last lines in status.lastFailure; it is tried again.",
        ),
        Reason.REGISTRY_FAILED: _cluster(
            C.REGISTRY_AVAILABLE,
            _AGAIN,
            "The cluster's registry does not run or does not hold what it should.",
            "Look at the registry's unit on the host that the message names.",
        ),
        Reason.PKI_MISSING: _cluster(
            C.CONTROL_PLANE_INITIALIZED,
            _PERSON,
            "The cluster is running, but a Secret with its certificate authorities is gone; no new ones are made, they would break it.",
            "Restore the Secret from a backup, or from /etc/kubernetes/pki of a master.",
        ),
        Reason.KUBEADM_INIT_FAILED: _cluster(
            C.CONTROL_PLANE_INITIALIZED,
            _AGAIN,
            "kubeadm init failed on the first master.",
            "Read its last lines in status.lastFailure; the host is reset and init is tried again on it.",
        ),
        Reason.STATE_CONFLICT: _cluster(
            C.CONTROL_PLANE_INITIALIZED,
            _AGAIN,
            "Somebody else changed the cluster's state record at the same time.",
            "Nothing, if it happens once; else look for a second operator.",
        ),
        Reason.FENCED: _cluster(
            C.CONTROL_PLANE_INITIALIZED,
            _PERSON,
            "A newer operator has taken over this cluster; this one does nothing any more.",
            "Stop one of the two operators.",
        ),
        Reason.CONTROL_PLANE_UNHEALTHY: _cluster(
            C.CONTROL_PLANE_HEALTHY,
            _DEGRADED,
            "The API server of a master does not answer.",
            "Look at the static pods of the master that the message names: crictl ps -a.",
        ),
        Reason.KUBEADM_JOIN_FAILED: _host(
            C.WORKERS_READY,
            _AGAIN,
            "kubeadm join failed on the host.",
            "Read its last lines in status.lastFailure; the host is reset and join is tried again.",
        ),
        Reason.ETCD_UNHEALTHY: _cluster(
            C.ETCD_HEALTHY,
            _DEGRADED,
            "A member of etcd is not healthy; masters are not changed meanwhile, except to repair this.",
            "Bring the member's host back, or remove it from spec.hosts.",
        ),
        Reason.QUORUM_AT_RISK: _cluster(
            C.ETCD_HEALTHY,
            _PERSON,
            "The wanted change of masters would leave etcd without a majority, so it is not made.",
            "Bring back unhealthy members first; the message has the numbers.",
        ),
        Reason.NODES_NOT_READY: _cluster(
            C.WORKERS_READY,
            _DEGRADED,
            "A node is not Ready.",
            "Look at the kubelet of the node that the message names: journalctl -u kubelet.",
        ),
        Reason.DRAIN_BLOCKED: _host(
            C.WORKERS_READY,
            _PERSON,
            "Pods could not be evicted in time.",
            "Change the disruption budget or the pod that the message names, or raise spec.rollout.drain.timeout.",
        ),
        Reason.ENDPOINT_UNREACHABLE: _cluster(
            C.ENDPOINT_REACHABLE,
            _DEGRADED,
            "A worker does not reach the control plane through its load balancer.",
            "Look at the load balancer's static pod on the worker that the message names.",
        ),
        Reason.GUEST_FAILED: _cluster(
            C.GUESTS_APPLIED,
            _AGAIN,
            "A command of an image failed; the images after it wait.",
            "Read its last lines in status.lastFailure; it is tried again.",
        ),
        Reason.CERTIFICATE_EXPIRING: _cluster(
            C.CERTIFICATES_VALID,
            _DEGRADED,
            "A certificate has expired or will soon.",
            "Renew the certificates of the master that the message names.",
        ),
        Reason.DRIFT_FOUND: _host(
            C.DRIFTED,
            _AGAIN,
            "Something on the host is not as it was left; it is being put right.",
            "Nothing; if it comes back, find out what else manages the host.",
        ),
        Reason.INTERNAL_ERROR: _cluster(
            C.RECONCILING,
            _AGAIN,
            "A mistake in the operator itself.",
            "Report it with the traceback from the operator's log; it goes on trying.",
        ),
    }
)
"""Complete: every Reason has its entry (a test says so)."""


def is_terminal(reason: Reason) -> bool:
    """True when only a person, or a change of the world, can help."""
    return CATALOGUE[reason].nature is Nature.TERMINAL


def hint(reason: Reason) -> str:
    """What to do about it; empty when there is nothing to do."""
    return CATALOGUE[reason].cure
