"""Everything outside, in one hand: what a composition root gives the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sealcluster.core.ports import Certs, Clock, Hosts, Images, Management, Workloads


@dataclass(frozen=True, slots=True)
class Ports:
    """The adapters of one cluster."""

    hosts: Hosts
    images: Images
    certs: Certs
    management: Management
    workloads: Workloads
    clock: Clock
    random: Callable[[], float]
    """In [0, 1): jitter."""
    token: Callable[[], str]
    """A fresh bootstrap token, ``abcdef.0123456789abcdef``."""
    new_id: Callable[[], str]
    """A fresh cluster id."""
