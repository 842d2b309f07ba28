"""How hosts are reached: once for the whole cluster, field by field different for a host that differs."""

from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

from sealcluster.api.base import ApiModel
from sealcluster.api.references import KeyRef, SecretRef
from sealcluster.api.scalars import DnsName, Port

UserName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][-a-zA-Z0-9_.]*\$?$", max_length=32)]
"""Login name on a host."""


class HostKeyPolicy(StrEnum):
    """What to do with a host key that nobody has vouched for; a changed key is refused under either."""

    STRICT = "Strict"
    TRUST_ON_FIRST_USE = "TrustOnFirstUse"


class BecomeMethod(StrEnum):
    """How to get root after login."""

    AUTO = "Auto"
    SUDO = "Sudo"
    NONE = "None"


class HostKeys(ApiModel):
    """How host keys are checked; they always are."""

    policy: HostKeyPolicy = HostKeyPolicy.STRICT
    """Strict accepts only keys listed in knownHostsSecretRef, signed by a host CA listed there, or recorded before;
    TrustOnFirstUse also accepts and records the key of a host that was never seen. A changed key is refused by both."""

    known_hosts_secret_ref: KeyRef | None = None
    """Key of a Secret that holds lines in the format of OpenSSH's known_hosts, @cert-authority lines included."""


class Become(ApiModel):
    """How root is reached from the login user."""

    method: BecomeMethod = BecomeMethod.AUTO
    """Auto uses sudo unless the user is root. The password, where sudo asks for one, is the key `become-password` of the
    credentials Secret, else its key `password`."""


class Bastion(ApiModel):
    """A jump host; its host key is checked like any other."""

    address: DnsName
    """IPv4 address or DNS name of the jump host."""

    port: Port = 22
    """Port of its SSH server."""

    user: UserName = "root"
    """Login name there."""

    credentials_secret_ref: SecretRef | None = None
    """Credentials for the jump host, with the same keys as those of the hosts; default: the hosts' own."""


class SSHSettings(ApiModel):
    """SSH for every host that does not say otherwise."""

    user: UserName = "root"
    """Login name on the hosts."""

    port: Port = 22
    """Port of the hosts' SSH servers."""

    credentials_secret_ref: SecretRef | None = None
    """Secret with the keys `ssh-privatekey` (and `passphrase`, `ssh-certificate` if needed) or `password`, and
    `become-password` if sudo wants another one. Required by the operator; the command line may bring its own keys."""

    host_keys: HostKeys = HostKeys()
    """How host keys are checked."""

    become: Become = Become()
    """How root is reached."""

    bastion: Bastion | None = None
    """Jump host that leads to the hosts."""


class HostKeysOverride(ApiModel):
    """What is different about one host's keys."""

    policy: HostKeyPolicy | None = None
    """Replaces spec.ssh.hostKeys.policy for this host."""

    known_hosts_secret_ref: KeyRef | None = None
    """Replaces spec.ssh.hostKeys.knownHostsSecretRef for this host."""


class BecomeOverride(ApiModel):
    """What is different about root on one host."""

    method: BecomeMethod | None = None
    """Replaces spec.ssh.become.method for this host."""


class SSHOverride(ApiModel):
    """What is different for one host; a field that is absent is taken from spec.ssh. The port is the host's own `port`."""

    user: UserName | None = None
    """Replaces spec.ssh.user for this host."""

    credentials_secret_ref: SecretRef | None = None
    """Replaces spec.ssh.credentialsSecretRef for this host."""

    host_keys: HostKeysOverride | None = None
    """Replaces single fields of spec.ssh.hostKeys for this host."""

    become: BecomeOverride | None = None
    """Replaces single fields of spec.ssh.become for this host."""

    bastion: Bastion | None = None
    """Replaces spec.ssh.bastion as a whole for this host."""


def effective_ssh(common: SSHSettings, override: SSHOverride | None, port: int | None) -> SSHSettings:
    """Settings that hold for one host: the common ones with what the host says differently, field by field."""
    own = override or SSHOverride()
    keys = own.host_keys or HostKeysOverride()
    become = own.become or BecomeOverride()
    return SSHSettings(
        user=own.user or common.user,
        port=port or common.port,
        credentials_secret_ref=own.credentials_secret_ref or common.credentials_secret_ref,
        host_keys=HostKeys(
            policy=keys.policy or common.host_keys.policy,
            known_hosts_secret_ref=keys.known_hosts_secret_ref or common.host_keys.known_hosts_secret_ref,
        ),
        become=Become(method=become.method or common.become.method),
        bastion=own.bastion or common.bastion,
    )
