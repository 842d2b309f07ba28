"""What can be tuned about connections, with the reasons for the defaults."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SshSettings:
    """Times are seconds, sizes bytes."""

    connect_timeout: float = 10.0
    """For the TCP connection."""
    login_timeout: float = 20.0
    """For key exchange and authentication together."""
    keepalive_interval: float = 15.0
    keepalive_count: int = 4
    """A link is lost when this many keepalives in a row got no answer: 60 s, longer than a busy machine stalls."""
    channels: int = 8
    """Commands at the same time on one connection; sshd allows 10 sessions by default."""
    idle: float = 300.0
    """A connection that nobody used for so long is closed."""
    output_limit: int = 16 << 20
    """A command that prints more than this is broken off: a host must not fill our memory."""
    noise_limit: int = 256 << 10
    """The same for what shell start-up files print before our script begins."""
    ciphers: tuple[str, ...] = (
        "aes128-gcm@openssh.com",
        "aes256-gcm@openssh.com",
        "chacha20-poly1305@openssh.com",
        "aes256-ctr",
        "aes128-ctr",
    )
    """AES-GCM first: twice the throughput of asyncssh's default, which is what limits a copy."""
