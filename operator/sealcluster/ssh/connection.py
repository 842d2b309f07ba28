"""One machine's SSH connection: made at first use, shared, checked before reuse, closed when idle."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

import asyncssh

from sealcluster.core.errors import TerminalError
from sealcluster.core.ports import Bastion, HostTarget
from sealcluster.ssh.channel import STDERR_LIMIT, Channel, Clock, TooMuchOutput
from sealcluster.ssh.command import PATH, Become, Command, compose
from sealcluster.ssh.failures import LINK_ERRORS, login_failure, lost, unreachable
from sealcluster.ssh.hostkeys import KeyWatcher, Trust, line_of
from sealcluster.ssh.login import login_options
from sealcluster.ssh.plain import plain
from sealcluster.ssh.redact import Redactor
from sealcluster.ssh.settings import SshSettings
from sealcluster.ssh.tally import Tally

INPUT_BLOCK = 255 << 10
BUSY_PAUSE = 0.2

_PROMPT = re.compile(rb"\?\?[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Output:
    """How a script ended. `sent` and `started`: our clock when it was sent and when its first byte came back."""

    rc: int
    stdout: bytes
    stderr: str
    sent: float
    started: float


class Connection:
    """Runs scripts as root on one host. All methods raise the errors that `core.ports.HostPort` names."""

    def __init__(
        self,
        target: HostTarget | Bastion,
        settings: SshSettings,
        *,
        bastion: Connection | None = None,
        clock: Clock = time.time,
        path: str = PATH,
        tally: Tally | None = None,
    ) -> None:
        self.name = target.name if isinstance(target, HostTarget) else f"bastion {target.address}"
        self.keys = target.keys
        """May be replaced; a live connection that the new policy does not accept is dropped at the next use."""
        self.host_key = ""
        """The key that was shown at the last contact and accepted; what fails after that does not take it back."""
        self.commands = 0
        """How many commands were sent so far."""
        self._tally = tally or Tally()
        self._address, self._port, self._credentials = target.address, target.port, target.credentials
        self._settings, self._bastion, self._clock, self._path = settings, bastion, clock, path
        self._become = Become.of(target.credentials)
        self._terminal = False
        self._lock = asyncio.Lock()
        self._channels = asyncio.Semaphore(settings.channels)
        self._link: asyncssh.SSHClientConnection | None = None
        self._users = 0
        self._idle: asyncio.TimerHandle | None = None
        self._behind: list[Connection] = []
        if bastion is not None:
            bastion._behind.append(self)
        c = target.credentials
        self.redact = Redactor((c.password, c.private_key, c.passphrase, c.become_password))

    def __repr__(self) -> str:
        return f"Connection({self.name} at {self.where})"

    @property
    def bastion_key(self) -> str:
        """`host_key` of the jump host; empty where there is none."""
        return self._bastion.host_key if self._bastion is not None else ""

    @property
    def where(self) -> str:
        """Address and port."""
        return f"[{self._address}]:{self._port}" if ":" in self._address else f"{self._address}:{self._port}"

    # Scripts --------------------------------------------------------------------------------------------------------------------

    async def execute(
        self,
        script: str,
        stdin: bytes = b"",
        *,
        within: float,
        doing: str = "running a script",
        on_line: Callable[[str], bool] | None = None,
    ) -> Output:
        """Run a script to its end. It is sent as an argument: it holds no secret, `stdin` may.

        `on_line` sees each line as it comes and takes it (True) out of the output. A script that is still running after `within`
        seconds is left alone and reported as TransientError.
        """
        async with self.open(script, within=within, doing=doing, size=len(stdin)) as channel:
            sent = self._clock()
            feeding = asyncio.ensure_future(_feed(channel, stdin))
            kept = bytearray()
            try:
                if on_line is not None:
                    while (line := await channel.line()) is not None:
                        if not on_line(line.decode(errors="backslashreplace")):
                            kept += line + b"\n"
                await channel.ended()
            finally:
                feeding.cancel()
                await asyncio.gather(feeding, return_exceptions=True)
        return self._finished(channel, bytes(kept) + channel.output(), sent, doing)

    def _finished(self, channel: Channel, stdout: bytes, sent: float, doing: str) -> Output:
        stderr = self.redact(plain(bytes(channel.stderr[-STDERR_LIMIT:])))
        self.require_started(channel, doing)
        if channel.rc is None:
            raise lost(self.name, doing)
        return Output(channel.rc, stdout, stderr, sent, channel.started_at or sent)

    def require_started(self, channel: Channel, doing: str) -> None:
        """Raise why the script never began (sudo refused, no usable shell, link lost)."""
        if channel.started_at is not None:
            return
        if channel.rc is None:
            raise lost(self.name, doing)
        stderr = plain(_PROMPT.sub(b"", bytes(channel.stderr[-STDERR_LIMIT:])))
        said = self.redact((stderr.strip() or plain(channel.noise())).strip())[-2000:]
        if self._become.sudo:
            raise self._sudo_refused(channel.rc, said)
        raise TerminalError(
            f"starting a shell on host {self.name}: {said or f'exit code {channel.rc}'}",
            reason="AuthenticationFailed",
            host=self.name,
            exit_code=channel.rc,
            output=said,
            hint=f"user {self._credentials.user} needs a login shell that runs commands",
        )

    def _sudo_refused(self, rc: int, said: str) -> TerminalError:
        user = self._credentials.user
        return TerminalError(
            f"becoming root on host {self.name}: sudo refused user {user}: {said or f'exit code {rc}'}",
            reason="SudoFailed",
            host=self.name,
            exit_code=rc,
            output=said,
            hint=f"allow {user} to run /bin/sh by sudo, and give become-password where sudo asks for a password",
        )

    @asynccontextmanager
    async def open(self, script: str, *, within: float, doing: str, size: int | None = None) -> AsyncIterator[Channel]:
        """Start a script and talk to it. What the caller does inside is bounded by `within` too."""
        self._users += 1
        self._stay()
        try:
            async with asyncio.timeout(within), self._channels:
                channel = await self._start(script, doing, size)
                if not self._terminal and await self._wants_terminal(channel):
                    self._terminal = True
                    channel = await self._start(script, doing, size)
                try:
                    yield channel
                finally:
                    channel.abort()
        except TooMuchOutput:
            raise TerminalError(
                f"{doing} on host {self.name}: it printed more than {self._settings.output_limit >> 20} MiB",
                reason="AuthenticationFailed",
                host=self.name,
                hint="look at the shell start-up files of the login user",
            ) from None
        except TimeoutError:
            raise unreachable(self.name, self.where, f"no answer to {doing} within {within:g} s") from None
        finally:
            self._users -= 1
            self._leave()

    async def _wants_terminal(self, channel: Channel) -> bool:
        """Whether sudo refused for want of a terminal; only looked at where sudo is in play."""
        if not self._become.sudo or self.commands > 1:
            return False
        await channel.awaits(lambda: False)
        return channel.started_at is None and b"you must have a tty" in channel.stderr

    async def _start(self, script: str, doing: str, size: int | None) -> Channel:
        command = compose(script, self._become, terminal=self._terminal, size=size, path=self._path)
        settings = self._settings

        def session() -> Channel:
            return Channel(command.mark, self._clock, settings.output_limit, settings.noise_limit)

        again = False
        while True:
            link = await self._connected()
            try:
                _, made = await link.create_session(session, command.line, encoding=None, term_type="dumb" if self._terminal else None)
            except LINK_ERRORS as error:
                # Nothing ran yet, so starting once more is safe.
                if isinstance(error, asyncssh.ChannelOpenError) and not link.is_closed() and self._users > 1:
                    await asyncio.sleep(BUSY_PAUSE)  # a server that allows fewer sessions than we do: wait for ours to end
                    continue
                self._drop(link)
                if again:
                    raise lost(self.name, doing) from error
                again = True
                continue
            channel = cast(Channel, made)
            self.commands += 1
            self._tally.commands += 1
            await self._let_in(channel, command)
            return channel

    async def _let_in(self, channel: Channel, command: Command) -> None:
        """Answer sudo, once, and wait for the terminal."""
        prompt = command.prompt
        if prompt:
            await channel.awaits(lambda: channel.told(prompt) > 0 or bool(command.ready and channel.told(command.ready)))
            if channel.told(prompt):
                await channel.write(f"{self._become.password}\n".encode())
                await channel.awaits(lambda: channel.told(prompt) > 1 or bool(command.ready and channel.told(command.ready)))
            if channel.told(prompt) > 1:
                channel.abort()
                raise self._sudo_refused(1, "wrong password")
        if command.ready:
            await channel.awaits(lambda: channel.told(command.ready) > 0)

    # The link -------------------------------------------------------------------------------------------------------------------

    async def _connected(self) -> asyncssh.SSHClientConnection:
        async with self._lock:
            link = self._link
            if link is not None and not link.is_closed() and self._still_trusted(link):
                return link
            if link is not None:
                self._drop(link)
            self._link = await self._connect()
            self._tally.connections += 1
            return self._link

    def _still_trusted(self, link: asyncssh.SSHClientConnection) -> bool:
        trust = Trust.of(self.keys, self.name, self._address, self._port)
        key = link.get_server_host_key()
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

        tunnel = await self._bastion.link() if self._bastion else ()
        try:
            async with asyncio.timeout(settings.connect_timeout + settings.login_timeout):
                link = await asyncssh.connect(
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
        key = link.get_server_host_key()
        self.host_key = line_of(key) if key is not None else ""
        return link

    async def link(self) -> asyncssh.SSHClientConnection:
        """The live connection, for tunnels through this host."""
        self._stay()
        try:
            return await self._connected()
        finally:
            self._leave()

    def _drop(self, link: asyncssh.SSHClientConnection) -> None:
        link.close()
        if self._link is link:
            self._link = None

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
        if self._link is None or self._users:
            return
        if any(other.alive or other._lock.locked() for other in self._behind):  # locked: it logs in through us at this moment
            self._leave()
        else:
            self._drop(self._link)

    @property
    def alive(self) -> bool:
        """Whether there is a live link."""
        return self._link is not None and not self._link.is_closed()

    async def close(self) -> None:
        """Close now; the next use connects again."""
        self._stay()
        async with self._lock:
            link, self._link = self._link, None
            if link is not None:
                link.close()
                await link.wait_closed()


async def _feed(channel: Channel, data: bytes) -> None:
    for at in range(0, len(data), INPUT_BLOCK):
        await channel.write(data[at : at + INPUT_BLOCK])
    channel.end_input()
