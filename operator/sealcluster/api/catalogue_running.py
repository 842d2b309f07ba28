"""Reasons from the first file on a host to a running cluster."""

from collections.abc import Mapping

from sealcluster.api.catalogue_entry import AGAIN, DEGRADED, PERSON, Entry, for_cluster, for_host
from sealcluster.api.conditions import ConditionType as C
from sealcluster.api.conditions import Reason

RUNNING: Mapping[Reason, Entry] = {
    Reason.DISTRIBUTION_FAILED: for_host(
        C.IMAGE_AVAILABLE,
        AGAIN,
        "Content of the images could not be sent to the host or unpacked there.",
        "Check the host's disk and its way to the registry host; what has arrived is not sent again.",
    ),
    Reason.CONTAINER_IMAGE_PULL_FAILED: for_host(
        C.REGISTRY_AVAILABLE,
        AGAIN,
        "The host's container runtime could not pull an image from the cluster's registry.",
        "Check that the host reaches the registry host at spec.registry.port, and that its container runtime runs.",
    ),
    Reason.SCRIPT_FAILED: for_host(
        C.PREFLIGHT_PASSED,
        AGAIN,
        "A script of the image failed on the host.",
        "Read its last lines in status.lastFailure; it is tried again.",
    ),
    Reason.REGISTRY_FAILED: for_cluster(
        C.REGISTRY_AVAILABLE,
        AGAIN,
        "The cluster's registry does not run or does not hold what it should.",
        "Look at the registry's unit on the host that the message names.",
    ),
    Reason.PKI_MISSING: for_cluster(
        C.CONTROL_PLANE_INITIALIZED,
        PERSON,
        "The cluster is running, but a Secret with its certificate authorities is gone; no new ones are made, they would break it.",
        "Restore the Secret from a backup, or from /etc/kubernetes/pki of a master.",
    ),
    Reason.PKI_INVALID: for_cluster(
        C.CERTIFICATES_VALID,
        PERSON,
        "A certificate authority, key or request does not fit together or cannot be read.",
        "Restore the Secret that the message names from a backup, or from /etc/kubernetes/pki of a master.",
    ),
    Reason.PKI_EXPIRED: for_cluster(
        C.CERTIFICATES_VALID,
        PERSON,
        "A certificate authority of the cluster has expired; nothing is signed with it any more.",
        "Replace the authority by hand, or make a new cluster.",
    ),
    Reason.STATE_UNREADABLE: for_cluster(
        C.CONTROL_PLANE_INITIALIZED,
        PERSON,
        "The cluster's state record is damaged, older than the cluster, or a newer release wrote it.",
        "Run the newer release, or restore the record from a backup; it cannot be made up from the hosts.",
    ),
    Reason.KUBEADM_INIT_FAILED: for_cluster(
        C.CONTROL_PLANE_INITIALIZED,
        AGAIN,
        "kubeadm init failed on the first master.",
        "Read its last lines in status.lastFailure; the host is reset and init is tried again on it.",
    ),
    Reason.STATE_CONFLICT: for_cluster(
        C.CONTROL_PLANE_INITIALIZED,
        AGAIN,
        "Somebody else changed the cluster's state record at the same time, or holds a Secret with a name that is ours.",
        "Nothing, if it happens once; else remove or rename the Secret that the message names, or look for a second operator.",
    ),
    Reason.FENCED: for_cluster(
        C.CONTROL_PLANE_INITIALIZED,
        PERSON,
        "A newer operator has taken over this cluster; this one does nothing any more.",
        "Stop one of the two operators.",
    ),
    Reason.CONTROL_PLANE_UNHEALTHY: for_cluster(
        C.CONTROL_PLANE_HEALTHY,
        DEGRADED,
        "The API server of a master does not answer.",
        "Look at the static pods of the master that the message names: crictl ps -a.",
    ),
    Reason.API_SERVER_UNREACHABLE: for_cluster(
        C.CONTROL_PLANE_HEALTHY,
        AGAIN,
        "No master's API server answers the operator.",
        "Look at the masters: whether they are up, etcd has a majority and no firewall blocks spec.endpoint.port.",
    ),
    Reason.KUBEADM_JOIN_FAILED: for_host(
        C.WORKERS_READY,
        AGAIN,
        "kubeadm join failed on the host.",
        "Read its last lines in status.lastFailure; the host is reset and join is tried again.",
    ),
    Reason.ETCD_UNHEALTHY: for_cluster(
        C.ETCD_HEALTHY,
        DEGRADED,
        "A member of etcd is not healthy; masters are not changed meanwhile, except to repair this.",
        "Bring the member's host back, or remove it from spec.hosts.",
    ),
    Reason.QUORUM_AT_RISK: for_cluster(
        C.ETCD_HEALTHY,
        PERSON,
        "The wanted change of masters would leave etcd without a majority, so it is not made.",
        "Bring back unhealthy members first; the message has the numbers.",
    ),
    Reason.NODES_NOT_READY: for_cluster(
        C.WORKERS_READY,
        DEGRADED,
        "A node is not Ready, or no pod of CoreDNS is.",
        "Look at the kubelet of the node that the message names: journalctl -u kubelet; or at CoreDNS: kubectl -n kube-system get pods.",
    ),
    Reason.NODE_NOT_FOUND: for_host(
        C.WORKERS_READY,
        AGAIN,
        "The host's Node is not in the cluster, though it should be.",
        "Nothing, if it comes by itself; else look at the kubelet of the host: journalctl -u kubelet.",
    ),
    Reason.NODE_REPLACED: for_host(
        C.WORKERS_READY,
        AGAIN,
        "A Node was deleted and made anew while it was being worked on; the new one was left alone.",
        "Nothing; it is looked at again.",
    ),
    Reason.DRAIN_BLOCKED: for_host(
        C.WORKERS_READY,
        PERSON,
        "Pods could not be evicted in time.",
        "Change the disruption budget or the pod that the message names, or raise spec.rollout.drain.timeout.",
    ),
    Reason.ENDPOINT_UNREACHABLE: for_cluster(
        C.ENDPOINT_REACHABLE,
        DEGRADED,
        "A worker does not reach the control plane through its load balancer.",
        "Look at the load balancer's static pod on the worker that the message names.",
    ),
    Reason.GUEST_FAILED: for_cluster(
        C.GUESTS_APPLIED,
        AGAIN,
        "A command of an image failed; the images after it wait.",
        "Read its last lines in status.lastFailure; it is tried again.",
    ),
    Reason.CERTIFICATE_FAILED: for_host(
        C.CERTIFICATES_VALID,
        AGAIN,
        "Certificates of a master could not be requested or installed.",
        "Read the last lines in status.lastFailure; it is tried again.",
    ),
    Reason.CERTIFICATE_EXPIRING: for_cluster(
        C.CERTIFICATES_VALID,
        DEGRADED,
        "A certificate has expired or will soon.",
        "Renew the certificates of the master that the message names.",
    ),
    Reason.DRIFT_FOUND: for_host(
        C.DRIFTED,
        AGAIN,
        "Something on the host is not as it was left; it is being put right.",
        "Nothing; if it comes back, find out what else manages the host.",
    ),
    Reason.INTERNAL_ERROR: for_cluster(
        C.RECONCILING,
        AGAIN,
        "A mistake in the operator itself.",
        "Report it with the traceback from the operator's log; it goes on trying.",
    ),
}
