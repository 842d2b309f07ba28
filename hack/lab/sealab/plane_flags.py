"""Command lines of the three processes of a management plane."""

from dataclasses import dataclass
from pathlib import Path

from sealab.plane_pki import PlanePki

CONTROLLERS = (
    "namespace-controller",
    "garbage-collector-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "root-ca-certificate-publisher-controller",
    "clusterrole-aggregation-controller",
    "deployment-controller",
    "replicaset-controller",
)
"""What a management plane needs: no nodes, no volumes, no workloads beyond the objects of a chart."""


@dataclass(frozen=True)
class PlanePorts:
    """Loopback ports of one plane."""

    etcd: int
    etcd_peer: int
    api: int


def etcd(binary: Path, folder: Path, ports: PlanePorts) -> list[str]:
    """A single member that never syncs to disk: what is lost in a power cut is a test's data."""
    client = f"http://127.0.0.1:{ports.etcd}"
    peer = f"http://127.0.0.1:{ports.etcd_peer}"
    return [
        str(binary),
        "--name=plane",
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=plane={peer}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def apiserver(binary: Path, pki: PlanePki, ports: PlanePorts) -> list[str]:
    """TLS with client certificates, RBAC, on loopback only."""
    return [
        str(binary),
        f"--etcd-servers=http://127.0.0.1:{ports.etcd}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={ports.api}",
        f"--tls-cert-file={pki.server_certificate}",
        f"--tls-private-key-file={pki.server_key}",
        f"--client-ca-file={pki.ca}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={pki.service_account_key}",
        f"--service-account-signing-key-file={pki.service_account_key}",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--authorization-mode=RBAC",
        "--endpoint-reconciler-type=none",
        "--shutdown-delay-duration=0s",
    ]


def controller_manager(binary: Path, kubeconfig: Path, pki: PlanePki) -> list[str]:
    """Only the controllers that a management plane needs; it serves nothing itself."""
    return [
        str(binary),
        f"--kubeconfig={kubeconfig}",
        "--secure-port=0",
        "--leader-elect=false",
        f"--controllers={','.join(CONTROLLERS)}",
        f"--service-account-private-key-file={pki.service_account_key}",
        f"--root-ca-file={pki.ca}",
    ]
