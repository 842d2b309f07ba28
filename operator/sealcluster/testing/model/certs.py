"""`Certs` of the model: papers that say what a certificate would."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from sealcluster.core.ports import PKI, CertificatePolicy, NodeIdentity
from sealcluster.testing.model import paper
from sealcluster.testing.model.timing import Timing

_ISSUER = {
    "front-proxy-client": "proxy",
    "apiserver-etcd-client": "etcd",
    "etcd/server": "etcd",
    "etcd/peer": "etcd",
    "etcd/healthcheck-client": "etcd",
}


class ModelCerts:
    """Makes authorities and signs; counts what it made in `created`."""

    def __init__(self, timing: Timing) -> None:
        self._random = timing.generator("certs")
        self.created = 0

    async def create(self, policy: CertificatePolicy) -> PKI:
        """New authorities."""
        self.created += 1
        serial = self._random.getrandbits(64)

        def pair(name: str) -> tuple[str, str]:
            public = paper.write("CERTIFICATE", ca=name, serial=serial)
            return public, paper.write("PRIVATE KEY", ca=name, serial=serial)

        return PKI(pair("ca"), pair("etcd"), pair("proxy"), pair("sa"), registry_password=f"{self._random.getrandbits(96):024x}")

    def _names(self, node: NodeIdentity) -> tuple[str, ...]:
        return (*paper.LEAVES, *paper.FIRST_LEAVES) if node.first else paper.LEAVES

    def missing(self, pki: PKI, node: NodeIdentity, policy: CertificatePolicy, found: Mapping[str, str], now: float) -> tuple[str, ...]:
        """Leaves that are absent, foreign, expired or lack a name."""
        return tuple(name for name in self._names(node) if not self._good(pki, node, name, found.get(name), now))

    def _good(self, pki: PKI, node: NodeIdentity, name: str, pem: str | None, now: float) -> bool:
        if pem is None:
            return False
        content = paper.read(pem)
        right = content["issuer"] == self._issuer(pki, name) and content["expires"] > now
        return right and (name != "apiserver" or {node.name, node.address, *node.sans} <= set(content["sans"]))

    @staticmethod
    def _issuer(pki: PKI, name: str) -> str:
        authority: tuple[str, str] = getattr(pki, _ISSUER.get(name, "ca"))
        return hashlib.sha256(authority[0].encode()).hexdigest()

    async def sign(
        self, pki: PKI, node: NodeIdentity, policy: CertificatePolicy, requests: Mapping[str, str], now: float
    ) -> dict[str, str]:
        """Sign what this node needs."""
        signed = {}
        for name in self._names(node):
            request = paper.read(requests[name])
            signed[name] = paper.write(
                "CERTIFICATE",
                name=name,
                node=node.name,
                key=request["key"],
                issuer=self._issuer(pki, name),
                sans=sorted({node.name, node.address, *node.sans}),
                expires=now + policy.validity_seconds,
            )
        return signed

    def expiry(self, pem: str) -> float:
        """Seconds since the epoch."""
        return float(paper.read(pem)["expires"])

    def covers(self, pem: str, issuer: str, names: Sequence[str]) -> bool:
        """Issued by this CA and carries all these names?"""
        content = paper.read(pem)
        return bool(content["issuer"] == hashlib.sha256(issuer.encode()).hexdigest() and set(names) <= set(content["sans"]))

    def ca_hash(self, pki: PKI) -> str:
        """What discovery compares."""
        return paper.ca_hash(pki.ca[0])

    def kubeconfig(self, pki: PKI, name: str, address: str, port: int, domain: str, policy: CertificatePolicy, now: float) -> str:
        """An admin kubeconfig."""
        client = paper.write(
            "CERTIFICATE", name=name, issuer=self._issuer(pki, "admin.conf"), expires=now + policy.validity_seconds, sans=[]
        )
        return f"cluster: {name}\nserver: https://{address}:{port}\ntls-server-name: {domain}\n{client}"
