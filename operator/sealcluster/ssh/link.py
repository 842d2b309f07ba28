"""The SSH link to one machine: made at first use, shared, checked before reuse, closed when idle."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import asyncssh

from sealcluster.core.ports import Bastion, HostTarget
from sealcluster.ssh.failures import login_failure, unreachable
from sealcluster.ssh.hostkeys import KeyWatcher, Trust, line_of
from sealcluster.ssh.login import login_options
from sealcluster.ssh.settings import SshSettings
from sealcluster.ssh.tally import Tally


class Link:
    """Knows how to come to one host, by way of its bastion, and whether it is the right one."""

    def __init__(self, target: HostTarget | Bastion, settings: SshSettings, bastion: Link | None, tally: Tally) -> None:
        self.name = target.name if isinstance(target, HostTarget) else f"bastion {target.address}"
        self.keys = target.keys
        """May be replaced; a live link that the new policy does not accept is dropped at the next use."""
        self.host_key = ""
        """The key that was shown at the last contact and accepted; what fails after that does not take it back."""
        self.bastion = bastion
        self._address, self._port, self._credentials = target.address, target.port, target.credentials
        self._settings, self._tally = settings, tally
        self._lock = asyncio.Lock()
        self._live: asyncssh.SSHClientConnection | None = None
        self._users = 0
        self._idle: asyncio.TimerHandle | None = None
        self._behind: list[Link] = []
        if bastion is not None:
            bastion._behind.append(self)

    @property
    def where(self) -> str:
        """Address and port."""
        return f"[{self._address}]:{self._port}" if ":" in self._address else f"{self._address}:{self._port}"

    @property
    def alive(self) -> bool:
        """Whether there is a live connection."""
        return self._live is not None and not self._live.is_closed()

    @property
    def shared(self) -> bool:
        """Whether more than one user is on it at this moment."""
        return self._users > 1

    @contextmanager
    def used(self) -> Iterator[None]:
        """It is not idle inside, and becomes so when the last user leaves."""
        self._users += 1
        self._stay()
        try:
            yield
        finally:
            self._users -= 1
            self._leave()

    async def connected(self) -> asyncssh.SSHClientConnection:
        """The live connection; a new one where there is none, or where the host's key is not accepted any more."""
        async with self._lock:
            live = self._live
            if live is not None and not live.is_closed() and self._still_trusted(live):
                return live
            if live is not None:
                self.drop(live)
            self._live = await self._connect()
            self._tally.connections += 1
            return self._live

    def drop(self, live: asyncssh.SSHClientConnection) -> None:
        """Do not use this connection again; a newer one stays."""
        live.close()
        if self._live is live:
            self._live = None

    async def close(self) -> None:
        """Close now; the next use connects again."""
        self._stay()
        async with self._lock:
            live, self._live = self._live, None
            if live is not None:
                live.close()
                await live.wait_closed()

    async def _tunnel(self) -> asyncssh.SSHClientConnection:
        self._stay()
        try:
            return await self.connected()
        finally:
            self._leave()

    def _still_trusted(self, live: asyncssh.SSHClientConnection) -> bool:
        trust = Trust.of(self.keys, self.name, self._address, self._port)
        key = live.get_server_host_key()
        return trust.authorities != () or (key is not None and trust.accepts(key))

    async def _connect(self) -> asyncssh.SSHClientConnection:
        settings = self._settings
        trust = Trust.of(self.keys, self.name, self._address, self._port)
        # Opening a key with a passphrase takes a second of computing.
        options = await asyncio.to_thread(login_options, self.name, self._credentials)
        watchers: list[KeyWatcher] = []

        def watcher() -> KeyWatcher:
            watchers.append(KeyWatcher(trust))
            return watchers[-1]

        tunnel = await self.bastion._tunnel() if self.bastion else ()
        try:
            async with asyncio.timeout(settings.connect_timeout + settings.login_timeout):
                live = await asyncssh.connect(
                    self._address,
                    self._port,
                    tunnel=tunnel,
                    client_factory=watcher,
                    known_hosts=trust.known_hosts,
                    server_host_key_algs=trust.algorithms,
                    encryption_algs=list(settings.ciphers),
                    compression_algs=None,
                    connect_timeout=settings.connect_timeout,
                    login_timeout=settings.login_timeout,
                    keepalive_interval=settings.keepalive_interval,
                    keepalive_count_max=settings.keepalive_count,
                    **options,
                )
        except (asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed) as error:
            self.host_key = ""
            shown = watchers[-1].shown if watchers else None
            if isinstance(error, asyncssh.KeyExchangeFailed) and shown is None:
                raise unreachable(self.name, self.where, str(error)) from error
            raise trust.refusal(self.name, shown) from error
        except (asyncssh.Error, OSError, ValueError) as error:
            accepted = watchers[-1].accepted if watchers else None
            self.host_key = line_of(accepted) if accepted is not None else ""
            raise login_failure(self.name, self.where, self._credentials, error) from error
        key = live.get_server_host_key()
        self.host_key = line_of(key) if key is not None else ""
        return live

    # Being idle -----------------------------------------------------------------------------------------------------------------

    def _stay(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _leave(self) -> None:
        if self._users == 0:
            self._stay()
            self._idle = asyncio.get_running_loop().call_later(self._settings.idle, self._close_idle)

    def _close_idle(self) -> None:
        self._idle = None
        if self._live is None or self._users:
            return
        if any(other.alive or other._lock.locked() for other in self._behind):  # locked: it logs in through us at this moment
            self._leave()
        else:
            self.drop(self._live)
