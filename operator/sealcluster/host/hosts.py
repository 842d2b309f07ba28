"""All machines over SSH: the implementation of `core.ports.Hosts`."""

from __future__ import annotations

import time

from sealcluster.core.ports import HostPort, HostTarget
from sealcluster.host.jobs import Patience
from sealcluster.host.layout import Layout
from sealcluster.host.port import SshHost
from sealcluster.ssh.channel import Clock
from sealcluster.ssh.pool import Pool
from sealcluster.ssh.settings import SshSettings
from sealcluster.ssh.tally import Tally


class SshHosts:
    """Connections are made at first use, shared, and closed when idle. `clock` is the observer's, in seconds since the epoch."""

    def __init__(
        self,
        settings: SshSettings | None = None,
        *,
        layout: Layout | None = None,
        patience: Patience | None = None,
        clock: Clock = time.time,
    ) -> None:
        self._layout = layout or Layout()
        self._patience = patience or Patience()
        self._pool = Pool(settings, clock=clock, path=self._layout.path)

    def host(self, target: HostTarget) -> HostPort:
        """The machine; connects at first use."""
        return self.machine(target)

    def machine(self, target: HostTarget) -> SshHost:
        """The same, with what only people use: commands of their own."""
        return SshHost(target.name, self._pool.connection(target), self._layout, self._patience)

    @property
    def tally(self) -> Tally:
        """What went over SSH so far."""
        return self._pool.tally

    async def close(self) -> None:
        """Close every connection. Jobs on hosts go on."""
        await self._pool.close()
