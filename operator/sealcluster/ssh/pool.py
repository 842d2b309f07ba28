"""All connections of this process: one per host and login, bastions shared."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace

from sealcluster.core.ports import Bastion, HostKeyPolicy, HostTarget
from sealcluster.ssh.channel import Clock
from sealcluster.ssh.command import PATH
from sealcluster.ssh.connection import Connection
from sealcluster.ssh.settings import SshSettings
from sealcluster.ssh.tally import Tally

_ANY = HostKeyPolicy()


class Pool:
    """Hands out connections; the same target gets the same one."""

    def __init__(self, settings: SshSettings | None = None, *, clock: Clock = time.time, path: str = PATH) -> None:
        self._settings = settings or SshSettings()
        self._clock, self._path = clock, path
        self.tally = Tally()
        self._open: dict[HostTarget | Bastion, Connection] = {}
        # At its default level asyncssh logs every command line.
        logging.getLogger("asyncssh").setLevel(logging.WARNING)

    def connection(self, target: HostTarget | Bastion) -> Connection:
        """The connection of this target. Host key policies, its bastion's too, are no part of its identity: they are brought up to date."""
        key: HostTarget | Bastion = replace(target, keys=_ANY)
        bastion = None
        if isinstance(key, HostTarget) and key.bastion is not None:
            bastion = self.connection(key.bastion)
            key = replace(key, bastion=replace(key.bastion, keys=_ANY))
        found = self._open.get(key)
        if found is None:
            found = self._open[key] = Connection(
                target, self._settings, bastion=bastion, clock=self._clock, path=self._path, tally=self.tally
            )
        found.link.keys = target.keys
        return found

    async def close(self) -> None:
        """Close all, those through a bastion first."""
        connections = [self._open.pop(key) for key in sorted(self._open, key=lambda key: isinstance(key, Bastion))]
        await asyncio.gather(*(c.close() for c in connections))
