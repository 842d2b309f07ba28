"""One command on a host: bounded output, lines as they come, input with back pressure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import asyncssh

STDERR_LIMIT = 64 << 10

Clock = Callable[[], float]


class TooMuchOutput(Exception):
    """The command printed more than anybody wants; its channel was closed."""


class Channel(asyncssh.SSHClientSession[bytes]):
    """Collects what a command prints after its mark line; made by asyncssh, fed by asyncssh."""

    def __init__(self, mark: bytes, clock: Clock, output_limit: int, noise_limit: int) -> None:
        self._mark = b"\n" + mark + b"\n"
        self._clock = clock
        self._output_limit = output_limit
        self._noise_limit = noise_limit
        self._out = bytearray()
        self._read = 0
        self._changed = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._closed = False
        self._excess = False
        self._chan: asyncssh.SSHClientChannel[bytes] | None = None
        self.stderr = bytearray()
        self.started_at: float | None = None
        """When the first byte after the mark came; None: the script has not begun."""
        self.rc: int | None = None
        """Exit code; negative: killed by that signal or an unknown one; None after the end: the link was lost."""

    # Called by asyncssh ---------------------------------------------------------------------------------------------------------

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        """The channel is there."""
        self._chan = chan

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        """Output came."""
        if datatype == asyncssh.EXTENDED_DATA_STDERR:
            self.stderr += data
            if len(self.stderr) > 2 * STDERR_LIMIT:
                del self.stderr[: len(self.stderr) - STDERR_LIMIT]
            self._changed.set()
            return
        self._out += data
        if self.started_at is None:
            self._look_for_mark()
        limit = self._noise_limit if self.started_at is None else self._output_limit
        if len(self._out) > limit and not self._excess:
            self._excess = True
            self.abort()
        self._changed.set()

    def _look_for_mark(self) -> None:
        at = self._out.find(self._mark)
        if at >= 0:
            self.started_at = self._clock()
            del self._out[: at + len(self._mark)]

    def exit_status_received(self, status: int) -> None:
        """It ended."""
        self.rc = status

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:
        """It was killed."""
        del core_dumped, msg, lang
        self.stderr += f"killed by signal {signal}\n".encode()
        self.rc = -1

    def pause_writing(self) -> None:
        """Too much input is under way."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """There is room again."""
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """The channel is gone, after the command's end or with the link."""
        del exc
        self._closed = True
        self._changed.set()
        self._writable.set()

    # Called by us ---------------------------------------------------------------------------------------------------------------

    async def write(self, data: bytes) -> None:
        """Send input; waits while much is under way. Input for a command that has ended is dropped: its exit code says why."""
        await self._writable.wait()
        if not self._closed and self._chan is not None:
            try:
                self._chan.write(data)
            except (BrokenPipeError, OSError):
                return
            await self._writable.wait()

    def end_input(self) -> None:
        """No more input comes."""
        if not self._closed and self._chan is not None:
            try:
                self._chan.write_eof()
            except (BrokenPipeError, OSError):
                return

    async def line(self) -> bytes | None:
        """The next line that the script prints, without its end; None: there is none any more."""
        while True:
            if self.started_at is not None:
                at = self._out.find(b"\n", self._read)
                if at >= 0:
                    line = bytes(self._out[self._read : at])
                    self._read = at + 1
                    return line
            if self._closed:
                return None
            self._changed.clear()
            await self._changed.wait()

    def told(self, text: bytes) -> int:
        """How often this was printed before the script began."""
        return self.stderr.count(text) + (self._out.count(text) if self.started_at is None else 0)

    async def awaits(self, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds, the script begins, or the command ends."""
        while not self._closed and self.started_at is None and not condition():
            self._changed.clear()
            await self._changed.wait()

    async def ended(self) -> None:
        """Wait for the end. Raises TooMuchOutput."""
        while not self._closed:
            self._changed.clear()
            await self._changed.wait()
        if self._excess:
            raise TooMuchOutput

    def output(self) -> bytes:
        """Everything that the script printed and `line` did not take."""
        return bytes(self._out[self._read :]) if self.started_at is not None else b""

    def noise(self) -> bytes:
        """What came although the script never began."""
        return bytes(self._out) if self.started_at is None else b""

    def abort(self) -> None:
        """Close without waiting. The remote command is not killed by this (nothing in SSH does that reliably)."""
        if self._chan is not None:
            self._chan.close()
