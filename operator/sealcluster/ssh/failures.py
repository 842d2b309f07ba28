"""What goes wrong on the way to a host, in the words of `core.errors`."""

from __future__ import annotations

import asyncssh

from sealcluster.core.errors import SealError, TerminalError, TransientError
from sealcluster.core.ports import Credentials

LINK_ERRORS = (asyncssh.DisconnectError, asyncssh.ChannelOpenError, OSError, EOFError)
"""Raised when a connection breaks or cannot carry another channel."""


def unreachable(host: str, where: str, cause: str) -> TransientError:
    """The host does not answer, or stopped answering."""
    return TransientError(
        f"reaching host {host} at {where}: {cause}",
        reason="HostUnreachable",
        host=host,
        hint="check that the machine is up, its sshd runs and the port is open from here",
    )


def lost(host: str, doing: str) -> TransientError:
    """The link broke in the middle of a command."""
    return TransientError(f"{doing} on host {host}: connection lost", reason="HostUnreachable", host=host)


def login_failure(host: str, where: str, credentials: Credentials, error: Exception) -> SealError:
    """An exception of `asyncssh.connect`; host keys are judged elsewhere."""
    if isinstance(error, asyncssh.PermissionDenied):
        offered = [name for name, value in (("key", credentials.private_key), ("password", credentials.password)) if value]
        return TerminalError(
            f"logging in to host {host} at {where} as {credentials.user}: refused ({' and '.join(offered)} offered)",
            reason="AuthenticationFailed",
            host=host,
            hint="check the login name (spec.ssh.user), the key or password in the credentials Secret, and the user's authorized_keys on the host",
        )
    if isinstance(error, TimeoutError):
        return unreachable(host, where, "no answer in time")
    if isinstance(error, asyncssh.ConnectionLost):
        return unreachable(host, where, "connection closed before the login was complete")
    if isinstance(error, OSError):
        return unreachable(host, where, (error.strerror or str(error) or type(error).__name__).lower())
    return unreachable(host, where, str(error) or type(error).__name__)


def sudo_refused(host: str, user: str, rc: int, said: str) -> TerminalError:
    """The login worked, becoming root did not."""
    return TerminalError(
        f"becoming root on host {host}: sudo refused user {user}: {said or f'exit code {rc}'}",
        reason="SudoFailed",
        host=host,
        exit_code=rc,
        output=said,
        hint=f"allow {user} to run /bin/sh by sudo, and give become-password where sudo asks for a password",
    )


def no_shell(host: str, user: str, rc: int, said: str) -> TerminalError:
    """The login worked, and then nothing could be run."""
    return TerminalError(
        f"starting a shell on host {host}: {said or f'exit code {rc}'}",
        reason="AuthenticationFailed",
        host=host,
        exit_code=rc,
        output=said,
        hint=f"user {user} needs a login shell that runs commands",
    )


def too_much(host: str, doing: str, limit: int) -> TerminalError:
    """It printed more than any of our scripts does. `limit`: bytes."""
    return TerminalError(
        f"{doing} on host {host}: it printed more than {limit >> 20} MiB",
        reason="AuthenticationFailed",
        host=host,
        hint="look at the shell start-up files of the login user",
    )
