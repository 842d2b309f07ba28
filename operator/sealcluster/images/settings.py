"""What the operator or the CLI configures about images."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from sealcluster.images.limits import GIB, Limits


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """Settings of the image service."""

    store: Path
    """Directory of the content store."""
    store_limit: int = 40 * GIB
    """Bytes that the store may use."""
    archive_directory: Path | None = None
    """The only directory that archive references may lie below; None: anywhere (the CLI, with the user's own rights)."""
    allow_archives: bool = True
    """False refuses archive references altogether."""
    own_machine: bool = True
    """False: references may not name loopback and link-local addresses. Those who write them are not those whose machine this is."""
    extra_ca: str = ""
    """PEM certificates that are trusted beside the system's."""
    plain_http: frozenset[str] = frozenset()
    """Registries (`host` or `host:port`) that are spoken to without TLS."""
    proxy: str = field(default="", repr=False)
    """URL of an HTTP proxy; may hold a password."""
    no_proxy: frozenset[str] = frozenset()
    """Hosts, domains and networks that are reached directly."""
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    """Seconds without a byte after which an answer is given up."""
    min_rate: int = 16 << 10
    """Bytes a second below which, on average, a download is given up; it is taken up again where it stopped."""
    attempts: int = 5
    """How often a request is tried, and a download that makes no progress."""
    first_wait: float = 0.5
    """Seconds before the second attempt; each further one waits twice as long, up to `max_wait`."""
    max_wait: float = 20.0
    limits: Limits = field(default_factory=Limits)
