"""sshd of a machine: host key, user, sudo."""

from __future__ import annotations

import hashlib

from sealcluster.core.errors import TerminalError, TransientError
from sealcluster.core.ports import HostKeyPolicy, HostTarget
from sealcluster.testing.model.machine import Machine
from sealcluster.testing.model.network import Network


def sha256(content: bytes) -> str:
    """Hex digest."""
    return hashlib.sha256(content).hexdigest()


def enter(machine: Machine, target: HostTarget, network: Network) -> str:
    """Log in and become root; returns the host key that was shown. Raises like the real adapter."""
    if network.bastion is not None and (target.bastion is None or target.bastion.address != network.bastion):
        raise TransientError("connecting: no route to host", reason="HostUnreachable", host=target.name, hint="name a bastion in spec.ssh")
    _check_key(machine, target.keys, target.name)
    if not machine.login.accepts(target.credentials):
        raise TerminalError(
            f"logging in as {target.credentials.user}: permission denied",
            reason="AuthenticationFailed",
            host=target.name,
            hint="correct the credentials Secret",
        )
    if not machine.login.becomes_root(target.credentials):
        raise TerminalError(
            "becoming root: sudo refused", reason="SudoFailed", host=target.name, hint="allow sudo, or give become-password"
        )
    return machine.host_key


def _check_key(machine: Machine, policy: HostKeyPolicy, host: str) -> None:
    if policy.pinned:
        known = policy.pinned == machine.host_key
        if not known:
            raise TerminalError(
                "checking the host key: it is not the one on record", reason="HostKeyMismatch", host=host, hint="find out why it changed"
            )
        return
    if policy.known_hosts is not None and machine.host_key in policy.known_hosts:
        return
    if policy.known_hosts is not None and machine.address in policy.known_hosts:
        raise TerminalError("checking the host key: known_hosts has another one", reason="HostKeyMismatch", host=host)
    if not policy.trust_on_first_use:
        raise TerminalError("checking the host key: nobody knows it", reason="HostKeyUnknown", host=host, hint="add it to known_hosts")
