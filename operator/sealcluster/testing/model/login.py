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


def meet(machine: Machine, target: HostTarget, network: Network) -> None:
    """Reach the machine's sshd and accept its key, and the jump host's before. Raises like the real adapter."""
    if network.bastion is not None and (target.bastion is None or target.bastion.address != network.bastion):
        raise TransientError("connecting: no route to host", reason="HostUnreachable", host=target.name, hint="name a bastion in spec.ssh")
    if network.bastion is not None and target.bastion is not None:
        _check_key(network.bastion_key, network.bastion, target.bastion.keys, f"bastion {network.bastion}")
    _check_key(machine.host_key, machine.address, target.keys, target.name)


def enter(machine: Machine, target: HostTarget) -> None:
    """Log in and become root."""
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


def _check_key(shown: str, address: str, policy: HostKeyPolicy, host: str) -> None:
    if policy.known_hosts is not None and shown in policy.known_hosts:
        return
    if policy.known_hosts is not None and address in policy.known_hosts:
        raise TerminalError("checking the host key: known_hosts has another one", reason="HostKeyMismatch", host=host)
    if policy.pinned:
        known = policy.pinned == shown
        if not known:
            raise TerminalError(
                "checking the host key: it is not the one on record", reason="HostKeyMismatch", host=host, hint="find out why it changed"
            )
        return
    if not policy.trust_on_first_use:
        raise TerminalError("checking the host key: nobody knows it", reason="HostKeyUnknown", host=host, hint="add it to known_hosts")
