"""Scripts that run as root on one machine: started, let in by sudo, fed, and read to their end."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

import asyncssh

from sealcluster.core.ports import Bastion, HostTarget
from sealcluster.ssh.channel import STDERR_LIMIT, Channel, Clock, TooMuchOutput
from sealcluster.ssh.command import PATH, Become, Command, compose
from sealcluster.ssh.failures import LINK_ERRORS, lost, no_shell, sudo_refused, too_much, unreachable
from sealcluster.ssh.link import Link
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
        self._tally = tally or Tally()
        self.link: Link = Link(target, settings, bastion.link if bastion else None, self._tally)
        self.name = self.link.name
        self.commands = 0
        """How many commands were sent so far."""
        self._user = target.credentials.user
        self._settings, self._clock, self._path = settings, clock, path
        self._become = Become.of(target.credentials)
        self._terminal = False
        self._admitted = False
        """Whether sudo let a command in without a terminal: then none needs one."""
        self._channels = asyncio.Semaphore(settings.channels)
        c = target.credentials
        self.redact = Redactor((c.password, c.private_key, c.passphrase, c.become_password))

    def __repr__(self) -> str:
        return f"Connection({self.name} at {self.where})"

    @property
    def where(self) -> str:
        """Address and port."""
        return self.link.where

    @property
    def host_key(self) -> str:
        """The key that the host showed at the last contact, if it was accepted."""
        return self.link.host_key

    @property
    def bastion_key(self) -> str:
        """`host_key` of the jump host; empty where there is none."""
        return self.link.bastion.host_key if self.link.bastion is not None else ""

    @property
    def alive(self) -> bool:
        """Whether there is a live link."""
        return self.link.alive

    async def close(self) -> None:
        """Close now; the next use connects again."""
        await self.link.close()

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
        self.require_started(channel, doing)
        if channel.rc is None:
            raise lost(self.name, doing)
        return Output(channel.rc, stdout, self.said(channel), sent, channel.started_at or sent)

    def said(self, channel: Channel) -> str:
        """The end of what it printed to standard error, without secrets."""
        stderr = bytes(channel.stderr[-STDERR_LIMIT:])
        return self.redact(plain(_PROMPT.sub(b"", stderr)), cut=len(stderr) == STDERR_LIMIT)

    def require_started(self, channel: Channel, doing: str) -> None:
        """Raise why the script never began (sudo refused, no usable shell, link lost)."""
        if channel.started_at is not None:
            return
        if channel.rc is None:
            raise lost(self.name, doing)
        said = (self.said(channel).strip() or self.redact(plain(channel.noise())).strip())[-2000:]
        if self._become.sudo:
            raise sudo_refused(self.name, self._user, channel.rc, said)
        raise no_shell(self.name, self._user, channel.rc, said)

    @asynccontextmanager
    async def open(self, script: str, *, within: float, doing: str, size: int | None = None) -> AsyncIterator[Channel]:
        """Start a script and talk to it. What the caller does inside is bounded by `within` too."""
        with self.link.used():
            try:
                async with asyncio.timeout(within), self._channels:
                    terminal = self._terminal  # another command may find out meanwhile
                    channel = await self._start(script, doing, size, terminal)
                    if not terminal and await self._wants_terminal(channel):
                        self._terminal = True
                        channel = await self._start(script, doing, size, True)
                    try:
                        yield channel
                    finally:
                        channel.abort()
            except TooMuchOutput:
                raise too_much(self.name, doing, self._settings.output_limit) from None
            except TimeoutError:
                raise unreachable(self.name, self.where, f"no answer to {doing} within {within:g} s") from None

    async def _wants_terminal(self, channel: Channel) -> bool:
        """Whether sudo refused for want of a terminal; only looked at where sudo is in play."""
        if not self._become.sudo or self._admitted:
            return False
        await channel.awaits(lambda: False)
        self._admitted = channel.started_at is not None
        return channel.started_at is None and b"you must have a tty" in channel.stderr

    async def _start(self, script: str, doing: str, size: int | None, terminal: bool) -> Channel:
        command = compose(script, self._become, terminal=terminal, size=size, path=self._path)
        settings = self._settings

        def session() -> Channel:
            return Channel(command.mark, self._clock, settings.output_limit, settings.noise_limit)

        again = False
        while True:
            live = await self.link.connected()
            try:
                _, made = await live.create_session(session, command.line, encoding=None, term_type="dumb" if terminal else None)
            except LINK_ERRORS as error:
                # Nothing ran yet, so starting once more is safe.
                if isinstance(error, asyncssh.ChannelOpenError) and not live.is_closed() and self.link.shared:
                    await asyncio.sleep(BUSY_PAUSE)  # a server that allows fewer sessions than we do: wait for ours to end
                    continue
                self.link.drop(live)
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
                raise sudo_refused(self.name, self._user, 1, "wrong password")
        if command.ready:
            await channel.awaits(lambda: channel.told(command.ready) > 0)


async def _feed(channel: Channel, data: bytes) -> None:
    for at in range(0, len(data), INPUT_BLOCK):
        await channel.write(data[at : at + INPUT_BLOCK])
    channel.end_input()
