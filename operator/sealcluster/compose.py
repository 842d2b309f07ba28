"""Wires the adapters together; used by both doors. The only place that knows every package."""

from __future__ import annotations

import asyncio
import random
import secrets
import string
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sealcluster.core.ports import PKI, CertificatePolicy, Endpoint, Management
from sealcluster.engine import Ports
from sealcluster.host.hosts import SshHosts
from sealcluster.images.service import ImageService
from sealcluster.images.settings import ImageSettings
from sealcluster.kube.workloads import KubeWorkloads
from sealcluster.pki.certs import Certificates
from sealcluster.render.kubeconfig import admin_kubeconfig

OWN_CERTIFICATE_SECONDS = 7 * 86400
_TOKEN_ALPHABET = string.ascii_lowercase + string.digits


class SystemClock:
    """The wall clock and real sleep."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


def bootstrap_token() -> str:
    """A random kubeadm bootstrap token."""
    return "".join(secrets.choice(_TOKEN_ALPHABET) for _ in range(6)) + "." + "".join(secrets.choice(_TOKEN_ALPHABET) for _ in range(16))


@dataclass
class Adapters:
    """What all clusters of one process share."""

    store: Path
    """Directory of the content store."""
    archives: Path | None = None
    """Directory below which `oci-archive:` and `docker-archive:` files may be read; None: anywhere (the CLI)."""
    insecure_registries: tuple[str, ...] = ()
    extra_ca: Path | None = None
    store_limit: int = 40 << 30
    """Bytes that the content store may use."""
    proxy: str = field(default="", repr=False)
    """URL of an HTTP proxy that leads to registries; may hold a password."""
    no_proxy: tuple[str, ...] = ()
    """Hosts and domain suffixes that are reached without it."""
    clock: SystemClock = field(default_factory=SystemClock)

    def __post_init__(self) -> None:
        self.hosts = SshHosts()
        self.certs = Certificates(self.clock.now, admin_kubeconfig)
        self.workloads = KubeWorkloads(self._kubeconfig, self.clock)
        self.images = ImageService(
            ImageSettings(
                store=self.store,
                store_limit=self.store_limit,
                archive_directory=self.archives,
                own_machine=self.archives is None,
                plain_http=frozenset(self.insecure_registries),
                extra_ca=self.extra_ca.read_text() if self.extra_ca else "",
                proxy=self.proxy,
                no_proxy=frozenset(self.no_proxy),
            )
        )

    def ports(self, management: Management) -> Ports:
        """The ports of one cluster."""
        return Ports(
            hosts=self.hosts,
            images=self.images,
            certs=self.certs,
            management=management,
            workloads=self.workloads,
            clock=self.clock,
            random=random.random,
            token=bootstrap_token,
            new_id=lambda: str(uuid.uuid4()),
        )

    def traffic(self) -> Mapping[str, int]:
        """SSH connections and commands so far."""
        return {"connections": self.hosts.tally.connections, "commands": self.hosts.tally.commands}

    def _kubeconfig(self, cluster: str, endpoint: Endpoint, domain: str, pki: PKI) -> str:
        # v1.28's identity (system:masters) works on every minor, also before kubeadm bound the newer group
        policy = CertificatePolicy("v1.28.0", "10.96.0.0/22", "cluster.local", OWN_CERTIFICATE_SECONDS, OWN_CERTIFICATE_SECONDS, domain)
        name = cluster.rsplit("/", 1)[-1]
        return self.certs.kubeconfig(pki, name, endpoint.address, endpoint.port, domain, policy, self.clock.now())

    async def close(self) -> None:
        """Close connections and sessions."""
        await self.hosts.close()
        await self.workloads.close()
        await self.images.close()
