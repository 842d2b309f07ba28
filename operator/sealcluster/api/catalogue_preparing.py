"""Reasons from the first look at a SealCluster to its images being at hand."""

from collections.abc import Mapping

from sealcluster.api.catalogue_entry import AGAIN, PERSON, Entry, for_cluster, for_host, normal
from sealcluster.api.conditions import ConditionType as C
from sealcluster.api.conditions import Reason

PREPARING: Mapping[Reason, Entry] = {
    Reason.CLUSTER_READY: normal(C.READY, "Everything in spec is applied and was seen healthy."),
    Reason.CONTROL_PLANE_SERVING: normal(C.AVAILABLE, "The cluster's API answers."),
    Reason.INITIALIZING: normal(C.RECONCILING, "This generation of the spec has just been seen."),
    Reason.PROVISIONING: normal(C.RECONCILING, "The cluster is being created."),
    Reason.UPDATING: normal(C.RECONCILING, "A change of the spec, or a repair, is being applied to the running cluster."),
    Reason.PROGRESSING_WITH_RETRY: for_cluster(
        C.RECONCILING,
        AGAIN,
        "A step failed in a way that trying again can heal.",
        "Nothing, as long as the attempts are few; the message says what fails and when the next attempt comes.",
    ),
    Reason.JOB_INTERRUPTED: for_host(
        C.RECONCILING,
        AGAIN,
        "A job on the host ended without a result: the machine went down, or somebody ended it.",
        "Nothing; a new attempt is made once the host answers.",
    ),
    Reason.WAIT_TIMED_OUT: for_cluster(
        C.STALLED,
        PERSON,
        "What a step waits for did not come true for many minutes, and nothing else moves.",
        "Look at what the message waits for; the step goes on by itself once it is so.",
    ),
    Reason.MANAGEMENT_UNAVAILABLE: for_cluster(
        C.RECONCILING,
        AGAIN,
        "The API server of the management cluster does not answer.",
        "Look after the management cluster; the hosts are left as they are meanwhile.",
    ),
    Reason.STORAGE_REFUSED: for_cluster(
        C.RECONCILING,
        PERSON,
        "The operator may not read or write where it keeps the cluster's state and Secrets.",
        "Correct its permissions (RBAC of its service account, or of the state directory); the message names what was refused.",
    ),
    Reason.PAUSED: normal(C.PAUSED, "spec.paused is true: nothing is changed, not even for a deletion.", "Set spec.paused to false."),
    Reason.DELETING: normal(C.DELETING, "The SealCluster is being deleted as spec.deletionPolicy says."),
    Reason.HOST_NOT_CLEAN: for_host(
        C.DELETING,
        PERSON,
        "Something of the cluster is still on the host after it was cleaned.",
        "Look at what the message lists, remove it on the host, then ask for a retry.",
    ),
    Reason.LOST_HOST_NEEDS_ACKNOWLEDGEMENT: for_host(
        C.DELETING,
        PERSON,
        "A host that has to be cleaned cannot be reached.",
        "Bring it back, or, if it is gone for good, annotate the SealCluster with sealcluster.io/acknowledge-lost: <host>=<machine-id>.",
    ),
    Reason.AS_EXPECTED: normal(C.READY, "There is nothing to report."),
    Reason.NOT_YET_OBSERVED: normal(C.READY, "This has not been looked at yet."),
    Reason.INVALID_SPEC: for_cluster(
        C.SPEC_VALID,
        PERSON,
        "The spec contradicts itself or asks for what is not supported.",
        "Change the fields that the message names.",
    ),
    Reason.DUPLICATE_ADDRESS: for_cluster(
        C.SPEC_VALID, PERSON, "Two hosts have the same address.", "Give each host its own address; the message names them."
    ),
    Reason.UPGRADE_NOT_SUPPORTED: for_cluster(
        C.SPEC_VALID,
        PERSON,
        "The root file system image of a running cluster was changed; upgrades are not supported yet.",
        "Put the previous image back into spec.images; nothing has been touched.",
    ),
    Reason.IMMUTABLE_FIELD: for_cluster(
        C.SPEC_VALID,
        PERSON,
        "A field was changed that is built into the running cluster.",
        "Put the previous value back, or delete the SealCluster and create a new one.",
    ),
    Reason.SECRET_MISSING: for_cluster(
        C.CREDENTIALS_VALID,
        PERSON,
        "A Secret or ConfigMap, or a key in it, that the spec refers to does not exist.",
        "Create it in the namespace of the SealCluster; the message names object and key.",
    ),
    Reason.AUTHENTICATION_FAILED: for_host(
        C.CREDENTIALS_VALID,
        PERSON,
        "The host refused user, key or password.",
        "Correct ssh.user or the credentials Secret, or authorise the key on the host. The same Secret is not tried again at once.",
    ),
    Reason.SUDO_FAILED: for_host(
        C.CREDENTIALS_VALID,
        PERSON,
        "Login works, becoming root does not.",
        "Allow sudo for the user, or put its password into the key become-password of the credentials Secret.",
    ),
    Reason.HOST_KEY_MISMATCH: for_host(
        C.CREDENTIALS_VALID,
        PERSON,
        "The host, or the bastion before it, shows another SSH key than the one recorded or listed: it was reinstalled, or somebody is in between.",
        "Find out which. If the new key is right, list it in ssh.hostKeys.knownHostsSecretRef; "
        "the row of a machine that was never claimed can also be taken away and put back.",
    ),
    Reason.HOST_KEY_UNKNOWN: for_host(
        C.CREDENTIALS_VALID,
        PERSON,
        "Nobody has vouched for the host's SSH key and the policy is Strict.",
        "List the key in ssh.hostKeys.knownHostsSecretRef after comparing the fingerprint, or choose the policy TrustOnFirstUse.",
    ),
    Reason.HOST_UNREACHABLE: for_host(
        C.HOSTS_REACHABLE,
        AGAIN,
        "No SSH connection to the host can be made, or it was lost.",
        "Check that the machine runs, address and port, and the firewalls in between; it is tried again all the time.",
    ),
    Reason.PREFLIGHT_FAILED: for_host(
        C.PREFLIGHT_PASSED,
        PERSON,
        "The host does not meet what the cluster needs.",
        "`sealcluster preflight` lists every check with value, limit and fix.",
    ),
    Reason.CLOCK_SKEW: for_host(
        C.PREFLIGHT_PASSED,
        PERSON,
        "The host's clock is too far from those of the other hosts.",
        "Set the clock and run a time service such as chrony.",
    ),
    Reason.DUPLICATE_HOSTNAME: for_cluster(
        C.PREFLIGHT_PASSED, PERSON, "Two hosts have the same hostname.", "Rename one: hostnamectl set-hostname NAME."
    ),
    Reason.DUPLICATE_MACHINE_ID: for_cluster(
        C.PREFLIGHT_PASSED,
        PERSON,
        "Two hosts have the same /etc/machine-id: clones of one disk, or one machine listed twice.",
        "On a clone: rm /etc/machine-id && systemd-machine-id-setup, then reboot.",
    ),
    Reason.HOST_OF_ANOTHER_CLUSTER: for_host(
        C.PREFLIGHT_PASSED,
        PERSON,
        "The host belongs to another SealCluster.",
        "Remove it there first, or take the right address; nothing was touched on it.",
    ),
    Reason.HOST_IDENTITY_CHANGED: for_host(
        C.PREFLIGHT_PASSED,
        PERSON,
        "Another machine answers at the address than the one that was installed: its machine-id differs.",
        "Give the new machine a row of its own with a new name and remove the old row; nothing was touched on it.",
    ),
    Reason.DISK_FULL: for_host(
        C.PREFLIGHT_PASSED, PERSON, "The host has too little disk space left.", "Free space on the file system that the message names."
    ),
    Reason.LEFTOVERS_FOUND: for_host(
        C.PREFLIGHT_PASSED,
        PERSON,
        "The host carries parts of another Kubernetes installation.",
        "Clean it (kubeadm reset, remove what the message lists) or take a fresh machine.",
    ),
    Reason.ARCH_MISMATCH: for_host(
        C.PREFLIGHT_PASSED,
        PERSON,
        "An image does not exist for the host's architecture.",
        "Use an image for that architecture or another machine.",
    ),
    Reason.CHECK_SCRIPT_FAILED: for_host(
        C.PREFLIGHT_PASSED,
        AGAIN,
        "The image's own check script does not accept the host.",
        "Read its last lines in status.lastFailure: mostly a port is taken or another container runtime is installed.",
    ),
    Reason.UNSUPPORTED_IMAGE: for_cluster(
        C.IMAGE_AVAILABLE,
        PERSON,
        "An image is not a sealos cluster image of the containerd flavour, or not exactly one holds a root file system.",
        "Use a supported image; the message says what is not.",
    ),
    Reason.IMAGE_NOT_FOUND: for_cluster(
        C.IMAGE_AVAILABLE,
        PERSON,
        "The registry does not have the image, or the file does not exist.",
        "Correct the reference in spec.images, or push the image.",
    ),
    Reason.IMAGE_PULL_FAILED: for_cluster(
        C.IMAGE_AVAILABLE,
        AGAIN,
        "The image could not be fetched.",
        "Check that the registry answers from where the operator runs and that spec.pullSecretRefs are right.",
    ),
    Reason.IMAGE_CORRUPT: for_cluster(
        C.IMAGE_AVAILABLE,
        PERSON,
        "Content of the image does not match its digest, or its archive is not safe to unpack.",
        "Push or copy the image again; do not use it as it is.",
    ),
    Reason.TEMPLATE_FAILED: for_cluster(
        C.IMAGE_AVAILABLE,
        PERSON,
        "A template of an image, or a config, cannot be rendered.",
        "Correct the config, or the value in env that the message names together with file and line.",
    ),
}
