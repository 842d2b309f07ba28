"""The lowest layer: what sealos sets by default, without what harms.

Kept: audit log, aggregator routing, its subnets, the parallel image pulls and rates of the kubelet. Left out on purpose:

- ``bind-address 0.0.0.0`` of controller manager and scheduler, etcd's, kube-proxy's and the kubelet's health and metrics ports on
  every interface: nothing in the cluster needs them there and three of them serve without authentication;
- certificates signed for 100 years whatever was declared: kubelets get the declared validity;
- the whole of /etc/kubernetes, admin.conf included, mounted into the API server: the audit policy alone is;
- /etc/localtime mounts: the static pod does not start on a host without that file;
- an empty ``feature-gates`` that erases a user's.

A document of the image or of the user brings back any of them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sealcluster.render.kubeadm_inputs import V1BETA4_MINOR, ClusterInputs
from sealcluster.render.kubeadm_merge import union

AUDIT_POLICY_PATH = "/etc/kubernetes/audit-policy.yml"
AUDIT_LOG_DIRECTORY = "/var/log/kubernetes"
DEFAULT_AUDIT_POLICY = """\
# Who did what, without bodies (they may hold secrets); reads by the system's own components are left out.
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  nonResourceURLs: ["/healthz*", "/livez*", "/readyz*", "/version", "/metrics"]
- level: None
  userGroups: ["system:nodes"]
  verbs: [get, list, watch]
- level: None
  users: ["system:kube-scheduler", "system:kube-controller-manager", "system:kube-proxy", "system:apiserver"]
  verbs: [get, list, watch]
- level: None
  resources:
  - {group: coordination.k8s.io, resources: [leases]}
  - {group: "", resources: [events]}
- level: Metadata
"""
"""For images that bring no statics/audit-policy.yml: the API server does not start without the file."""


def go_duration(span: timedelta) -> str:
    """``87600h0m0s`` for ten years."""
    seconds = int(span.total_seconds())
    return f"{seconds // 3600}h{seconds % 3600 // 60}m{seconds % 60}s"


def cluster_defaults(cluster: ClusterInputs) -> dict[str, Any]:
    """ClusterConfiguration in the one form of `kubeadm_convert`."""
    document: dict[str, Any] = {
        "apiServer": {"extraArgs": [{"name": "enable-aggregator-routing", "value": "true"}]},
        "controllerManager": {"extraArgs": [{"name": "cluster-signing-duration", "value": go_duration(cluster.validity)}]},
    }
    if cluster.audit:
        _add_audit(document["apiServer"])
    return document


def registration_defaults(cluster: ClusterInputs) -> dict[str, Any]:
    """nodeRegistration of init and join."""
    registration: dict[str, Any] = {"imagePullPolicy": cluster.image_pull_policy}
    if cluster.minor >= V1BETA4_MINOR and cluster.image_pull_policy != "Never":
        registration["imagePullSerial"] = False
    return registration


def api_server_sans(cluster: ClusterInputs) -> list[str]:
    """Every name under which the API server is reached from outside its pod."""
    vip = [cluster.vip] if cluster.vip else []
    return union(["127.0.0.1", cluster.endpoint_domain], vip, cluster.masters, cluster.extra_sans)


def _add_audit(api_server: dict[str, Any]) -> None:
    flags = {
        "audit-log-format": "json",
        "audit-log-maxage": "7",
        "audit-log-maxbackup": "10",
        "audit-log-maxsize": "100",
        "audit-log-path": f"{AUDIT_LOG_DIRECTORY}/audit.log",
        "audit-policy-file": AUDIT_POLICY_PATH,
    }
    api_server["extraArgs"] += [{"name": name, "value": value} for name, value in flags.items()]
    api_server["extraVolumes"] = [
        {
            "name": "audit-policy",
            "hostPath": AUDIT_POLICY_PATH,
            "mountPath": AUDIT_POLICY_PATH,
            "readOnly": True,
            "pathType": "File",
        },
        {
            "name": "audit-log",
            "hostPath": AUDIT_LOG_DIRECTORY,
            "mountPath": AUDIT_LOG_DIRECTORY,
            "pathType": "DirectoryOrCreate",
        },
    ]
