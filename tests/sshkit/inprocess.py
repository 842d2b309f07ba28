"""An SSH server inside the test's own event loop, for what a real one cannot be made to do: any user, any noise, any failure."""

import asyncio
import contextlib
import os
import pty
import signal
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

SUDO = """#!/bin/sh
# What matters of sudo: -n never asks; -S prints the prompt, flushes the terminal and reads a line, three times.
mode=
prompt=
while [ $# -gt 0 ]; do
	case $1 in
	-n) mode=n ;;
	-S) mode=S ;;
	-p) prompt=$2; shift ;;
	--) shift; break ;;
	esac
	shift
done
@TTY@
if [ -n "@PASSWORD@" ]; then
	if [ "$mode" = n ]; then echo "sudo: a password is required" >&2; exit 1; fi
	for try in 1 2 3; do
		echo try >>"$(dirname "$0")/tries"
		printf %s "$prompt" >&2
		IFS= read -r given || exit 1
		if [ "$given" = "@PASSWORD@" ]; then break; fi
		echo "Sorry, try again." >&2
		if [ "$try" = 3 ]; then exit 1; fi
	done
fi
SUDO_USER=test exec "$@"
"""

NEEDS_TTY = 'if ! [ -t 0 ]; then echo "sudo: sorry, you must have a tty to run sudo" >&2; exit 1; fi'


@dataclass
class Server:
    """`passwords` by user; users without one need a key out of `authorized`."""

    home: Path
    passwords: dict[str, str] = field(default_factory=dict)
    authorized: str = ""
    noise: bytes = b""
    """Printed before every command, as a shell start-up file would."""
    flood: bool = False
    """Print without end instead of running anything."""
    host_certificate: bytes | None = None
    host_key: asyncssh.SSHKey = field(default_factory=lambda: asyncssh.generate_private_key("ssh-ed25519"))
    commands: list[str] = field(default_factory=list)
    connections: list[asyncssh.SSHServerConnection] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    sessions: int = 0
    most_sessions: int = 0
    port: int = 0
    _listener: asyncssh.SSHAcceptor | None = None

    @property
    def public(self) -> str:
        return " ".join(self.host_key.export_public_key().decode().split()[:2])

    def sudo(self, password: str = "", *, tty: bool = False) -> None:
        """Install a sudo that asks for this password (or for none)."""
        self.home.mkdir(parents=True, exist_ok=True)
        file = self.home / "sudo"
        file.write_text(SUDO.replace("@PASSWORD@", password).replace("@TTY@", NEEDS_TTY if tty else ""))
        file.chmod(0o755)

    async def start(self) -> "Server":
        outer = self
        self.home.mkdir(parents=True, exist_ok=True)

        class Login(asyncssh.SSHServer):
            def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
                outer.connections.append(conn)

            def password_auth_supported(self) -> bool:
                return True

            def validate_password(self, username: str, password: str) -> bool:
                return outer.passwords.get(username) == password

            def connection_requested(self, *_: object) -> bool:
                return True

        self._listener = await asyncssh.create_server(
            Login,
            "127.0.0.1",
            self.port,
            server_host_keys=[(self.host_key, self.host_certificate) if self.host_certificate else self.host_key],
            process_factory=self._serve,
            encoding=None,
            authorized_client_keys=asyncssh.import_authorized_keys(self.authorized) if self.authorized else None,
        )
        self.port = self._listener.get_port()
        return self

    async def _serve(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        self.commands.append(process.command or "")
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        self.sessions += 1
        self.most_sessions = max(self.most_sessions, self.sessions)
        try:
            if self.noise:
                process.stdout.write(self.noise)
            if self.flood:
                while True:
                    process.stdout.write(b"y\n" * 16384)
                    await process.stdout.drain()
            env = {**os.environ, "PATH": f"{self.home}:{os.environ['PATH']}"}
            if process.term_type is not None:
                process.exit(await self._on_terminal(process, env))
                return
            child = await asyncio.create_subprocess_shell(
                process.command or "",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=env,
                start_new_session=True,
            )
            assert child.stdin and child.stdout and child.stderr
            feeding = asyncio.ensure_future(_pump(process.stdin, child.stdin, end=True))
            try:
                await asyncio.gather(_pump(child.stdout, process.stdout), _pump(child.stderr, process.stderr))
                code = await child.wait()
            finally:
                feeding.cancel()
                _kill(child)
                _close(child)  # first: `wait` also waits for pipes that nobody reads any more
                await child.wait()
            process.exit(code if code >= 0 else 255)
        except (BrokenPipeError, ConnectionError, asyncssh.Error):
            process.close()
        finally:
            self.tasks.discard(task)
            self.sessions -= 1

    async def _on_terminal(self, process: asyncssh.SSHServerProcess[bytes], env: dict[str, str]) -> int:
        master, slave = pty.openpty()
        child = await asyncio.create_subprocess_shell(
            process.command or "", stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True
        )
        os.close(slave)

        async def typed() -> None:
            while data := await process.stdin.read(65536):
                await asyncio.to_thread(os.write, master, data)

        async def shown() -> None:
            while True:
                try:
                    data = await asyncio.to_thread(os.read, master, 65536)
                except OSError:
                    return
                process.stdout.write(data)

        typing, showing = asyncio.ensure_future(typed()), asyncio.ensure_future(shown())
        try:
            await asyncio.wait([showing, asyncio.ensure_future(process.wait_closed())], return_when=asyncio.FIRST_COMPLETED)
        finally:
            typing.cancel()
            _kill(child)
            try:
                await showing  # its thread reads until the last process has closed the terminal
                os.close(master)
                code = await child.wait()
            finally:
                _close(child)  # also where the server stops at this moment
        return code

    def cut(self) -> None:
        """Break every connection without a word."""
        for connection in self.connections:
            connection.abort()
        self.connections.clear()

    async def stop(self) -> None:
        if self._listener is not None:
            self.cut()
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)
            self._listener.close()
            await self._listener.wait_closed()
            self._listener = None


async def _pump(
    source: asyncio.StreamReader | asyncssh.SSHReader[bytes],
    sink: asyncio.StreamWriter | asyncssh.SSHWriter[bytes],
    *,
    end: bool = False,
) -> None:
    try:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
        if end:
            sink.write_eof()
    except (BrokenPipeError, ConnectionError, asyncssh.Error):
        return


def _kill(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)


def _close(child: asyncio.subprocess.Process) -> None:
    child._transport.close()  # type: ignore[attr-defined] # asyncio offers no other way to close a child's pipes
