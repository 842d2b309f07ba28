"""Which host keys are accepted, and what is said about those that are not.

A user's known_hosts text is the authority wherever it knows the host; else the key that we recorded; a host that neither
knows is accepted only under trust on first use. Checking is never switched off: there is always a list, at worst an empty one.
"""

from __future__ import annotations

from dataclasses import dataclass

import asyncssh

from sealcluster.core.errors import TerminalError
from sealcluster.core.ports import HostKeyPolicy

_PLAIN = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
_CERTIFICATES = (
    "ssh-ed25519-cert-v01@openssh.com",
    "ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "ecdsa-sha2-nistp384-cert-v01@openssh.com",
    "ecdsa-sha2-nistp521-cert-v01@openssh.com",
    "rsa-sha2-512-cert-v01@openssh.com",
    "rsa-sha2-256-cert-v01@openssh.com",
)


def line_of(key: asyncssh.SSHKey) -> str:
    """The key as one OpenSSH public key line without comment."""
    return " ".join(key.export_public_key().decode().split()[:2])


@dataclass(frozen=True, slots=True)
class Trust:
    """What is trusted for one host."""

    keys: tuple[asyncssh.SSHKey, ...]
    authorities: tuple[asyncssh.SSHKey, ...]
    revoked: tuple[asyncssh.SSHKey, ...]
    trust_on_first_use: bool

    @classmethod
    def of(cls, policy: HostKeyPolicy, host: str, address: str, port: int) -> Trust:
        """Evaluate the policy for one host; TerminalError when its texts cannot be read."""
        keys: tuple[asyncssh.SSHKey, ...] = ()
        authorities: tuple[asyncssh.SSHKey, ...] = ()
        revoked: tuple[asyncssh.SSHKey, ...] = ()
        if policy.known_hosts:
            try:
                found = asyncssh.import_known_hosts(policy.known_hosts).match(address, address, port if port != 22 else None)
            except (ValueError, asyncssh.KeyImportError) as error:
                raise TerminalError(
                    f"reading known_hosts for host {host}: {error}",
                    reason="HostKeyUnknown",
                    host=host,
                    hint="correct the known_hosts text; each line is `<names> <type> <base64>`",
                ) from error
            keys, authorities, revoked = tuple(found[0]), tuple(found[1]), tuple(found[2])
        if not keys and not authorities and policy.pinned:
            try:
                keys = (asyncssh.import_public_key(policy.pinned),)
            except asyncssh.KeyImportError as error:
                raise TerminalError(
                    f"reading the recorded key of host {host}: {error}",
                    reason="HostKeyUnknown",
                    host=host,
                    hint="the recorded key must be an OpenSSH public key line",
                ) from error
        return cls(keys, authorities, revoked, policy.trust_on_first_use)

    @property
    def knows(self) -> bool:
        """True when the host is known: then first use is over."""
        return bool(self.keys or self.authorities)

    @property
    def known_hosts(self) -> tuple[list[asyncssh.SSHKey], list[asyncssh.SSHKey], list[asyncssh.SSHKey]]:
        """In asyncssh's form; never None, which would switch checking off."""
        return list(self.keys), list(self.authorities), list(self.revoked)

    @property
    def algorithms(self) -> list[str]:
        """Algorithms to offer: those of the trusted keys first, so that a host with several keys shows the right one."""
        known = {algorithm.decode() for key in self.keys for algorithm in key.sig_algorithms}
        plain = sorted(_PLAIN, key=lambda name: name not in known)
        return [*(_CERTIFICATES if self.authorities else ()), *plain]

    def accepts(self, key: asyncssh.SSHKey) -> bool:
        """Whether this plain key is trusted, first use included."""
        if key in self.revoked:
            return False
        return key in self.keys or (not self.knows and self.trust_on_first_use)

    def refusal(self, host: str, shown: asyncssh.SSHKey | None) -> TerminalError:
        """What to say about a key that was not accepted."""
        fingerprint = shown.get_fingerprint() if shown else "a certificate"
        if self.keys and shown is not None:
            expected = " or ".join(key.get_fingerprint() for key in self.keys)
            return TerminalError(
                f"checking the host key of {host}: it shows {fingerprint}, known is {expected}",
                reason="HostKeyMismatch",
                host=host,
                hint=(
                    "somebody may be in between; if the machine was reinstalled on purpose, compare the fingerprint on its console"
                    " and put the new key into the known_hosts Secret"
                ),
            )
        return TerminalError(
            f"checking the host key of {host}: nobody vouched for {fingerprint}",
            reason="HostKeyUnknown",
            host=host,
            hint=(
                "compare the fingerprint with `ssh-keygen -lf` on the machine, then put its key into the known_hosts Secret"
                " or allow TrustOnFirstUse"
            ),
        )


class KeyWatcher(asyncssh.SSHClient):
    """Asked by asyncssh about keys that are not in the list; remembers what the host showed."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self.shown: asyncssh.SSHKey | None = None
        self.accepted: asyncssh.SSHKey | None = None
        """What was accepted on first use."""

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Accept on first use where the policy says so."""
        del host, addr, port
        self.shown = key
        if not self._trust.accepts(key):
            return False
        self.accepted = key
        return True
