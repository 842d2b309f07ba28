"""How to reach each host: the row of the spec, or what we recorded when the row is gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from sealcluster.api import BecomeMethod, Host, SSHSettings
from sealcluster.api import HostKeyPolicy as Policy
from sealcluster.api.ssh import effective_ssh
from sealcluster.core.ports import Bastion, Credentials, HostKeyPolicy, HostTarget
from sealcluster.core.state import InventoryRow
from sealcluster.engine.desired import Desired
from sealcluster.engine.firstkeys import FirstKeys


class SecretReader(Protocol):
    """The part of `Management` that is needed here."""

    async def credentials(self, reference: str) -> Credentials:
        """As `Management` says."""
        ...

    async def text(self, kind: str, reference: str, key: str) -> str:
        """As `Management` says."""
        ...


async def target(desired: Desired, management: SecretReader, host: Host | None, row: InventoryRow | None, seen: FirstKeys) -> HostTarget:
    """Credentials are read each time (a changed Secret is a reason to try again). Raises TerminalError SecretMissing."""
    common = desired.spec.ssh
    if host is not None:
        settings = effective_ssh(common, host.ssh, host.port)
        name, address = host.name, str(host.address)
        reference = str(settings.credentials_secret_ref.name) if settings.credentials_secret_ref else ""
    else:
        assert row is not None
        settings = effective_ssh(common, None, row.port)
        settings = settings.model_copy(update={"user": row.user})
        name, address, reference = row.name, row.address, row.credentials_secret
    credentials = await management.credentials(reference)
    become = settings.become.method is BecomeMethod.SUDO or (settings.become.method is BecomeMethod.AUTO and settings.user != "root")
    credentials = replace(credentials, user=str(settings.user), become=become)
    port = int(settings.port)
    keys = await _keys(settings, management, row.host_key if row else seen.host(str(name), address, port))
    return HostTarget(name, address, port, credentials, keys, await _bastion(settings, management, credentials, seen))


async def _keys(settings: SSHSettings, management: SecretReader, pinned: str | None) -> HostKeyPolicy:
    known = None
    if settings.host_keys.known_hosts_secret_ref is not None:
        reference = settings.host_keys.known_hosts_secret_ref
        known = await management.text("Secret", str(reference.name), str(reference.key))
    return HostKeyPolicy(settings.host_keys.policy is Policy.TRUST_ON_FIRST_USE, pinned or None, known)


async def _bastion(settings: SSHSettings, management: SecretReader, hosts_own: Credentials, seen: FirstKeys) -> Bastion | None:
    if settings.bastion is None:
        return None
    jump = settings.bastion
    credentials = hosts_own
    if jump.credentials_secret_ref is not None:
        credentials = await management.credentials(str(jump.credentials_secret_ref.name))
    credentials = replace(credentials, user=str(jump.user), become=False)
    address, port = str(jump.address), int(jump.port)
    return Bastion(address, port, credentials, await _keys(settings, management, seen.bastion(address, port)))
