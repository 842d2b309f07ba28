"""Turning a script into the one command line that a host's login shell runs, as root.

The script travels as an argument of `/bin/sh -c` (so it must hold no secret) and standard input is left to its data. A random mark
separates what shell start-up files print from what the script prints. sudo gets a password only when it asks for one, and only
once: it prints a prompt of ours, so a wrong password costs one attempt, and data are never taken for one.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from sealcluster.core.ports import Credentials

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def quote(value: str) -> str:
    """One word for a POSIX shell, whatever it holds; NUL cannot be in a word."""
    if "\0" in value:
        raise ValueError("quoting for a shell: the value holds a NUL character")
    return "'" + value.replace("'", "'\\''") + "'"


@dataclass(frozen=True, slots=True)
class Become:
    """How to get root."""

    sudo: bool = False
    password: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, credentials: Credentials) -> Become:
        """root needs nothing; others sudo, with the login password where no other one is given."""
        if credentials.user == "root" or not credentials.become:
            return cls()
        return cls(True, credentials.become_password or credentials.password)


@dataclass(frozen=True, slots=True)
class Command:
    """A command line and the texts by which one knows how far it is."""

    line: str
    mark: bytes
    """Line after which the script's own output begins."""
    prompt: bytes
    """What sudo prints when it wants the password; empty: it never asks."""
    ready: bytes
    """Printed when input may be sent; empty: at once."""


def compose(script: str, become: Become, *, terminal: bool = False, size: int | None = None, path: str = PATH) -> Command:
    """The command for `script`.

    On a terminal (sudo's requiretty) the end of input does not travel: the script gets exactly `size` bytes, or must itself know
    how many to read (None); errors would mix with output, so they are dropped there; and what is sent before the terminal is raw
    would be changed or lost (sudo flushes it), so one waits for `ready`.
    """
    nonce = secrets.token_hex(8)
    asks = become.sudo and become.password is not None
    body = f"printf '\\n@@{nonce}\\n'\nPATH={quote(path)} LC_ALL=C; export PATH LC_ALL; umask 077\n{script}"
    if terminal:
        body = "exec 2>/dev/null\n" + body
        if size is not None:
            body = f"head -c {size} | /bin/sh -c {quote(body)}"
        body = f"stty raw -echo && printf '\\n!!{nonce}\\n'\n{body}"
    line = f"/bin/sh -c {quote(body)}"
    if become.sudo:
        line = (f"sudo -S -p '??{nonce}' -- " if asks else "sudo -n -- ") + line
    return Command(
        f"exec {line}",
        f"@@{nonce}".encode(),
        f"??{nonce}".encode() if asks else b"",
        f"!!{nonce}".encode() if terminal else b"",
    )
