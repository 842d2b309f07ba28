"""`core.ports.Certs` by means of this package."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from sealcluster.core.errors import TerminalError
from sealcluster.core.ports import PKI, CertificatePolicy, NodeIdentity
from sealcluster.pki.bundle import ClusterPKI, create_pki, load_pki
from sealcluster.pki.client import admin_leaf, create_client
from sealcluster.pki.inspection import problems, read_certificate
from sealcluster.pki.leaves import ClusterIdentity, LeafSpec, expected_certificates
from sealcluster.pki.sign import sign

KubeconfigWriter = Callable[[str, str, str, str, str, str], str]
"""(cluster name, server URL, TLS server name, CA PEM, certificate PEM, key PEM) to kubeconfig YAML."""

_UNASKED = {"kubelet.conf", "super-admin.conf"}
"""`kubeadm certs generate-csr` makes requests for these on every master, but a joining one must not have them."""


class Certificates:
    """Implements `Certs`. `clock` gives seconds since the epoch; `write_kubeconfig` is `render.kubeconfig.admin_kubeconfig`."""

    def __init__(self, clock: Callable[[], float], write_kubeconfig: KubeconfigWriter) -> None:
        self._clock = clock
        self._write_kubeconfig = write_kubeconfig

    async def create(self, policy: CertificatePolicy) -> PKI:
        """New authorities and a random registry password."""
        made = await asyncio.to_thread(create_pki, _time(self._clock()), timedelta(seconds=policy.ca_validity_seconds))
        return PKI(**made.pairs(), registry_password=secrets.token_urlsafe(24))

    def missing(self, pki: PKI, node: NodeIdentity, policy: CertificatePolicy, found: Mapping[str, str], now: float) -> tuple[str, ...]:
        """Names of the leaves that this master must have and that are absent, foreign, expired or lack a name."""
        loaded = _loaded(pki)
        return tuple(
            leaf.name
            for leaf in _leaves(node, policy)
            if leaf.name not in found or problems(found[leaf.name], leaf, loaded.authority(leaf.ca), _time(now))
        )

    async def sign(
        self, pki: PKI, node: NodeIdentity, policy: CertificatePolicy, requests: Mapping[str, str], now: float
    ) -> dict[str, str]:
        """Certificates by name; only for what this master must have (kubeadm also asks for what only the first one gets)."""
        return await asyncio.to_thread(self._sign, pki, node, policy, requests, now)

    def expiry(self, pem: str) -> float:
        """notAfter in seconds since the epoch."""
        return read_certificate(pem, "whose expiry is wanted").not_after.timestamp()

    def ca_hash(self, pki: PKI) -> str:
        """``sha256:<hex>`` of the CA's public key."""
        return _loaded(pki).ca.discovery_hash

    def kubeconfig(self, pki: PKI, name: str, address: str, port: int, domain: str, policy: CertificatePolicy, now: float) -> str:
        """An admin kubeconfig with a client certificate made now. Secret."""
        ca = _loaded(pki).ca
        client = create_client(admin_leaf(_minor(policy)), ca, timedelta(seconds=policy.validity_seconds), _time(now))
        host = f"[{address}]" if ":" in address else address
        return self._write_kubeconfig(name, f"https://{host}:{port}", domain, ca.certificate_pem, client.certificate, client.key.decode())

    def _sign(self, pki: PKI, node: NodeIdentity, policy: CertificatePolicy, requests: Mapping[str, str], now: float) -> dict[str, str]:
        loaded = _loaded(pki)
        leaves = {leaf.name: leaf for leaf in _leaves(node, policy)}
        strange = sorted(set(requests) - set(leaves) - _UNASKED)
        if strange:
            raise TerminalError(
                f"signing certificates of {node.name}: a master has no {', '.join(strange)}", reason="PKIInvalid", host=node.name
            )
        validity = timedelta(seconds=policy.validity_seconds)
        return {
            name: sign(request, leaves[name], loaded.authority(leaves[name].ca), validity, _time(now))
            for name, request in requests.items()
            if name in leaves
        }


def _leaves(node: NodeIdentity, policy: CertificatePolicy) -> tuple[LeafSpec, ...]:
    return expected_certificates(node, ClusterIdentity(policy.endpoint, policy.service_subnet, policy.dns_domain), _minor(policy))


def _minor(policy: CertificatePolicy) -> int:
    return int(policy.version.removeprefix("v").split(".")[1])


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


@lru_cache(maxsize=8)
def _loaded(pki: PKI) -> ClusterPKI:
    """Parsed once: the policy is compared with every master's certificates on every pass."""
    return load_pki({"ca": pki.ca, "etcd": pki.etcd, "proxy": pki.proxy, "sa": pki.sa})
