"""The fields of kubeadm's documents, in both versions of its API: so that a mistyped field is named before a host sees it.

A mapping is a nested object, `ARGS` a component's flags (a map in v1beta3, a list of name and value in v1beta4), and any other
word the type of a value. `ONLY_V1BETA4` and `ONLY_V1BETA3` list the paths (below the kind) that one version lacks.
"""

from __future__ import annotations

from typing import Any, Final

ARGS: Final = "arguments"
_TEXT, _NUMBER, _FLAG, _LIST, _ANY = "text", "number", "flag", "list", "anything"

_TIMEOUTS = {
    "controlPlaneComponentHealthCheck": _TEXT,
    "kubeletHealthCheck": _TEXT,
    "kubernetesAPICall": _TEXT,
    "etcdAPICall": _TEXT,
    "tlsBootstrap": _TEXT,
    "discovery": _TEXT,
    "upgradeManifests": _TEXT,
}
_ENDPOINT = {"advertiseAddress": _TEXT, "bindPort": _NUMBER}
_REGISTRATION = {
    "name": _TEXT,
    "criSocket": _TEXT,
    "taints": _LIST,
    "kubeletExtraArgs": ARGS,
    "ignorePreflightErrors": _LIST,
    "imagePullPolicy": _TEXT,
    "imagePullSerial": _FLAG,
}
_COMMON = {
    "dryRun": _FLAG,
    "nodeRegistration": _REGISTRATION,
    "skipPhases": _LIST,
    "patches": {"directory": _TEXT},
    "timeouts": _TIMEOUTS,
}
_COMPONENT = {"extraArgs": ARGS, "extraVolumes": _LIST, "extraEnvs": _LIST}
_IMAGE = {"imageRepository": _TEXT, "imageTag": _TEXT}

SCHEMA: Final[dict[str, dict[str, Any]]] = {
    "InitConfiguration": {
        **_COMMON,
        "bootstrapTokens": _LIST,
        "localAPIEndpoint": _ENDPOINT,
        "certificateKey": _TEXT,
    },
    "JoinConfiguration": {
        **_COMMON,
        "caCertPath": _TEXT,
        "discovery": {
            "bootstrapToken": {
                "token": _TEXT,
                "apiServerEndpoint": _TEXT,
                "caCertHashes": _LIST,
                "unsafeSkipCAVerification": _FLAG,
            },
            "file": {"kubeConfigPath": _TEXT},
            "tlsBootstrapToken": _TEXT,
            "timeout": _TEXT,
        },
        "controlPlane": {"localAPIEndpoint": _ENDPOINT, "certificateKey": _TEXT},
    },
    "ClusterConfiguration": {
        "etcd": {
            "local": {
                **_IMAGE,
                "dataDir": _TEXT,
                "extraArgs": ARGS,
                "extraEnvs": _LIST,
                "serverCertSANs": _LIST,
                "peerCertSANs": _LIST,
            },
            "external": {"endpoints": _LIST, "caFile": _TEXT, "certFile": _TEXT, "keyFile": _TEXT},
        },
        "networking": {"serviceSubnet": _TEXT, "podSubnet": _TEXT, "dnsDomain": _TEXT},
        "kubernetesVersion": _TEXT,
        "controlPlaneEndpoint": _TEXT,
        "apiServer": {**_COMPONENT, "certSANs": _LIST, "timeoutForControlPlane": _TEXT},
        "controllerManager": _COMPONENT,
        "scheduler": _COMPONENT,
        "dns": {**_IMAGE, "disabled": _FLAG},
        "proxy": {"disabled": _FLAG},
        "certificatesDir": _TEXT,
        "imageRepository": _TEXT,
        "featureGates": _ANY,
        "clusterName": _TEXT,
        "encryptionAlgorithm": _TEXT,
        "certificateValidityPeriod": _TEXT,
        "caCertificateValidityPeriod": _TEXT,
    },
}

ONLY_V1BETA4: Final = {
    "InitConfiguration": {"dryRun", "nodeRegistration.imagePullSerial", *(f"timeouts.{name}" for name in _TIMEOUTS)},
    "JoinConfiguration": {"dryRun", "nodeRegistration.imagePullSerial", *(f"timeouts.{name}" for name in _TIMEOUTS)},
    "ClusterConfiguration": {
        "etcd.local.extraEnvs",
        "apiServer.extraEnvs",
        "controllerManager.extraEnvs",
        "scheduler.extraEnvs",
        "dns.disabled",
        "proxy.disabled",
        "encryptionAlgorithm",
        "certificateValidityPeriod",
        "caCertificateValidityPeriod",
    },
}
ONLY_V1BETA3: Final = {
    "InitConfiguration": set[str](),
    "JoinConfiguration": {"discovery.timeout"},
    "ClusterConfiguration": {"apiServer.timeoutForControlPlane"},
}
HAVE_COUNTERPART: Final = {
    "InitConfiguration": {"timeouts.controlPlaneComponentHealthCheck"},
    "JoinConfiguration": {"timeouts.discovery"},
    "ClusterConfiguration": set[str](),
}
"""Fields of v1beta4 that v1beta3 has too, in another place (`kubeadm_convert` moves them)."""
